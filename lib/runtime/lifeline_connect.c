/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets from every rank to rank 0: it listens, tells its addresses through MPI, and knows who
 * calls by a number that only ranks of this run have heard. */
#define _DEFAULT_SOURCE  // getifaddrs
#include "lifeline_connect.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ee/agree.h"
#include "ee/clock.h"

enum {
  MOST_ADDRESSES = 16,
  CALL_MS        = 2000,   // until an address counts as out of reach
  ALL_CALLS_MS   = 40000,  // until rank 0 gives up on those that have not called
  SILENT_S       = 5,      // before a host is asked whether it is there
  ASK_S          = 2,      // how often
  ASKED          = 3,      // times without a reply until it counts as gone
  GONE_MS        = 1000 * (SILENT_S + ASK_S * ASKED)
};

/* Where rank 0 listens.  In network byte order but for `token`. */
typedef struct meeting_point {
  uint64_t token;
  uint16_t port;
  int16_t  n;
  uint32_t address[MOST_ADDRESSES];
} meeting_point;

/* What a rank says first, and rank 0 says back. */
typedef struct greeting {
  uint64_t token;
  int32_t  rank, reserved;
} greeting;

static int64_t now_ms(void) {
  return ee_clock_ns() / 1000000;
}

/* A host that vanishes is to be noticed; words are to leave at once. */
static void set_options(int s) {
  int on = 1, idle = SILENT_S, every = ASK_S, times = ASKED;
  fcntl(s, F_SETFD, FD_CLOEXEC);
  setsockopt(s, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
#ifdef TCP_USER_TIMEOUT
  unsigned gone_ms = GONE_MS;  // also while words wait for a reply, when nobody is asked
  setsockopt(s, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_ms, sizeof gone_ms);
#endif
#ifdef TCP_KEEPIDLE
  setsockopt(s, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(s, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof every);
  setsockopt(s, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
#endif
}

static int open_socket(void) {
  int s = socket(AF_INET, SOCK_STREAM, 0);
  if (s >= 0) set_options(s);
  return s;
}

/* Whether the other end has said the whole of it in time. */
static bool hear(int s, greeting *g) {
  size_t  got   = 0;
  int64_t until = now_ms() + CALL_MS;
  while (got < sizeof *g && now_ms() < until) {
    struct pollfd ready = {.fd = s, .events = POLLIN};
    if (poll(&ready, 1, (int)(until - now_ms())) != 1) continue;
    ssize_t n = recv(s, (char *)g + got, sizeof *g - got, MSG_DONTWAIT);
    if (n <= 0) return false;
    got += (size_t)n;
  }
  return got == sizeof *g;
}

/* Addresses of the interfaces that are up; that of the host itself first. */
static void list_addresses(meeting_point *p) {
  struct ifaddrs *all = NULL;
  p->address[p->n++]  = htonl(INADDR_LOOPBACK);
  if (getifaddrs(&all) != 0) return;
  for (struct ifaddrs *a = all; a != NULL && p->n < MOST_ADDRESSES; a = a->ifa_next) {
    if (a->ifa_addr == NULL || a->ifa_addr->sa_family != AF_INET) continue;
    if (!(a->ifa_flags & IFF_UP) || (a->ifa_flags & IFF_LOOPBACK)) continue;
    p->address[p->n++] = ((struct sockaddr_in *)(void *)a->ifa_addr)->sin_addr.s_addr;
  }
  freeifaddrs(all);
}

static uint64_t make_token(void) {
  uint64_t token = 0;
  FILE    *noise = fopen("/dev/urandom", "rb");
  if (noise != NULL && fread(&token, sizeof token, 1, noise) != 1) token = 0;
  if (noise != NULL) fclose(noise);
  return token ^ (uint64_t)ee_clock_ns() ^ (uint64_t)getpid() << 32;
}

static ee_status listen_anywhere(int size, meeting_point *p, int *listener) {
  struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_ANY)};
  socklen_t          n   = sizeof any;
  *listener              = open_socket();
  if (*listener < 0 || bind(*listener, (struct sockaddr *)&any, sizeof any) != 0 ||
      listen(*listener, size) != 0 || getsockname(*listener, (struct sockaddr *)&any, &n) != 0) {
    return EE_FAIL(EE_ERR_PEER, "rank 0 cannot listen on a TCP port: %s", strerror(errno));
  }
  p->token = make_token();
  p->port  = any.sin_port;
  list_addresses(p);
  return EE_OK;
}

/* A caller of this run, greeted; anybody else is sent away. */
static void take_caller(int caller, const meeting_point *p, int size, int *sockets, int *missing) {
  greeting g = {0};
  set_options(caller);
  bool known =
      hear(caller, &g) && g.token == p->token && g.rank > 0 && g.rank < size && sockets[g.rank] < 0;
  if (!known || send(caller, &g, sizeof g, MSG_NOSIGNAL) != (ssize_t)sizeof g) {
    close(caller);
    return;
  }
  sockets[g.rank] = caller;
  (*missing)--;
}

static ee_status take_callers(int listener, const meeting_point *p, int size, int *sockets) {
  int     missing = size - 1;
  int64_t until   = now_ms() + ALL_CALLS_MS;
  while (missing > 0 && now_ms() < until) {
    struct pollfd ready = {.fd = listener, .events = POLLIN};
    if (poll(&ready, 1, 100) <= 0) continue;
    int caller = accept(listener, NULL, NULL);
    if (caller >= 0) take_caller(caller, p, size, sockets, &missing);
  }
  if (missing == 0) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "%d ranks have not called rank 0 by TCP", missing);
}

/* Whether the connection stands before the time is over. */
static bool connect_in_time(int s, const struct sockaddr_in *to) {
  int       flags = fcntl(s, F_GETFL), error = 0;
  socklen_t n = sizeof error;
  fcntl(s, F_SETFL, flags | O_NONBLOCK);
  if (connect(s, (const struct sockaddr *)to, sizeof *to) != 0) {
    struct pollfd ready = {.fd = s, .events = POLLOUT};
    if (errno != EINPROGRESS || poll(&ready, 1, CALL_MS) != 1) return false;
    if (getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &n) != 0 || error != 0) return false;
  }
  return fcntl(s, F_SETFL, flags) == 0;
}

/* The socket to rank 0 at one of its addresses; -1: not there. */
static int call_at(const meeting_point *p, int i, int rank) {
  struct sockaddr_in to = {
      .sin_family = AF_INET, .sin_port = p->port, .sin_addr.s_addr = p->address[i]};
  greeting mine = {.token = p->token, .rank = rank}, back = {0};
  int      s = open_socket();
  if (s < 0) return -1;
  if (connect_in_time(s, &to) &&
      send(s, &mine, sizeof mine, MSG_NOSIGNAL) == (ssize_t)sizeof mine && hear(s, &back) &&
      back.token == mine.token && back.rank == rank) {
    return s;
  }
  close(s);
  return -1;
}

static ee_status call(const meeting_point *p, int rank, int *sockets) {
  char   text[MOST_ADDRESSES * (INET_ADDRSTRLEN + 1)] = "";
  size_t at                                           = 0;
  for (int i = 0; i < p->n && sockets[0] < 0; i++) {
    struct in_addr a = {.s_addr = p->address[i]};
    sockets[0]       = call_at(p, i, rank);
    inet_ntop(AF_INET, &a, text + at, INET_ADDRSTRLEN);
    at += strlen(text + at);
    text[at++] = ' ';
    text[at]   = '\0';
  }
  if (sockets[0] >= 0) return EE_OK;
  return EE_FAIL(EE_ERR_PEER, "cannot reach rank 0 by TCP port %d at %s(is there a firewall?)",
                 (int)ntohs(p->port), text);
}

ee_status ee_lifeline_connect(MPI_Comm comm, int *sockets) {
  meeting_point point    = {0};
  int           listener = -1, rank, size;
  EE_MPI(MPI_Comm_rank(comm, &rank));
  EE_MPI(MPI_Comm_size(comm, &size));
  for (int r = 0; r < size; r++) sockets[r] = -1;
  ee_status status = rank == 0 ? listen_anywhere(size, &point, &listener) : EE_OK;
  status           = ee_agree(comm, status, 0);
  if (status == EE_OK) {
    EE_MPI(MPI_Bcast(&point, (int)sizeof point, MPI_BYTE, 0, comm));
    status =
        rank == 0 ? take_callers(listener, &point, size, sockets) : call(&point, rank, sockets);
    status = ee_agree(comm, status, 0);
  }
  if (listener >= 0) close(listener);
  return status;
}

# When to send a confirmable message again.
# MIT licence.
"""Retransmission timeouts from measured round trips, one `Timing` per peer (`timing(host)`).

RFC 7252 section 4.8.1 lets a timeout go below one second only where round trips are measured. They
are, in the manner of RFC 6298 and CoCoA (draft-ietf-core-cocoa):

* A message that was sent once gives a sure sample: RTO = SRTT + max(4 * RTTVAR, 4 ms).
* One that was answered after one or two retransmissions gives an upper bound, counted from its
  first transmission: the RTO goes a quarter of the way there. Where the way really is slower than
  the RTO, that bound is the round trip itself, so the RTO grows to it within a few messages; where
  datagrams are lost it stays near.
* After more retransmissions nothing is known, and the RTO is doubled.

Within a message each timeout is twice the one before, and the first is stretched by a random factor
of 1 to 1.5 (ACK_RANDOM_FACTOR). With NSTART = 1 one message is under way at most, so a timeout that
is too short costs a few datagrams, not a congested path.

Before anything has been measured ACK_TIMEOUT is 1 s, the least that RFC 7252 and RFC 8085 section
3.1.1 allow. Instead of counting to MAX_RETRANSMIT a message is given `patience_ms` (62 s: what RFC
7252 gives it at 2 s and 4 retransmissions), so that a silence of some seconds on a fast link does
not end a transfer."""

import os
import time

try:
    from micropython import const
except ImportError:

    def const(n):
        return n


_FIRST = const(1000000)  # µs, before there is a sample
_FLOOR = const(4000)  # µs above SRTT: ticks, schedulers and garbage collection
_MOST = const(32000000)  # µs
_PEERS = const(4)

try:
    ticks_us = time.ticks_us
    elapsed_us = time.ticks_diff
except AttributeError:  # CPython

    def ticks_us():
        return time.monotonic_ns() // 1000

    def elapsed_us(now, then):
        return now - then


class Timing:
    """What is known of the way to one peer; times in µs."""

    patience_ms = 62000  # of one message, all its retransmissions included

    def __init__(self, first_ms=None):
        self._srtt = None
        self._var = 0
        self.rto = first_ms * 1000 if first_ms else _FIRST

    def first_ms(self):
        """The timeout of a message sent for the first time."""
        return (self.rto + self.rto // 512 * os.urandom(1)[0]) // 1000 + 1

    def sample(self, rtt, sent):
        """An answer came `rtt` µs after the first of `sent` transmissions of its request."""
        if sent > 3:
            self.rto = min(self.rto * 2, _MOST)
        elif sent > 1:
            self.rto = min((3 * self.rto + rtt + max(rtt // 4, _FLOOR)) // 4, _MOST)
        else:
            if self._srtt is None:
                self._srtt, self._var = rtt, rtt // 2
            else:
                self._var += (abs(rtt - self._srtt) - self._var) // 4
                self._srtt += (rtt - self._srtt) // 8
            self.rto = min(self._srtt + max(4 * self._var, _FLOOR), _MOST)

    def hint(self, rtt):
        """A round trip of something else to the same peer; it counts while there is nothing better."""
        if self._srtt is None:
            self.sample(rtt, 1)


_known = []  # [host, Timing], the one used last at the end


def timing(host):
    """The Timing of `host`: remembered from transfer to transfer, for a few hosts."""
    for i, entry in enumerate(_known):
        if entry[0] == host:
            _known.append(_known.pop(i))
            entry[1].rto = min(entry[1].rto, _FIRST)  # nobody waits for what an old silence left
            return entry[1]
    if len(_known) >= _PEERS:
        _known.pop(0)
    _known.append((host, Timing()))
    return _known[-1][1]

package io.grpcstream.netty;

import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * The frames that hold the bytes of a call which were not given back: a frame takes memory beside
 * its bytes until the last of them is. They are taken in the order in which they came.
 */
final class RetainedFrames {
  /** Bytes not taken of the first frame; 0 if there is none. */
  private int first;

  /** Sizes of those behind it; most calls never have any. */
  private @Nullable Queue<Integer> others;

  void add(int bytes) {
    if (first == 0) {
      first = bytes;
    } else if (bytes > 0) {
      if (others == null) {
        others = new ArrayDeque<>();
      }
      others.add(bytes);
    }
  }

  void take(int bytes) {
    int left = bytes;
    while (left >= first && first > 0) {
      left -= first;
      Integer next = others == null ? null : others.poll();
      first = next == null ? 0 : next;
    }
    first -= Math.min(left, first);
  }

  int count() {
    return first == 0 ? 0 : others == null ? 1 : 1 + others.size();
  }
}

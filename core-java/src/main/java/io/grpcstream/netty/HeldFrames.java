package io.grpcstream.netty;

import java.util.ArrayDeque;

/**
 * The frames that hold the bytes of a call which were not given back: a frame takes memory beside
 * its bytes until the last of them is. They are taken in the order in which they came.
 */
final class HeldFrames {
  private final ArrayDeque<Integer> sizes = new ArrayDeque<>(2);
  private int takenOfFirst;

  void add(int bytes) {
    if (bytes > 0) {
      sizes.addLast(bytes);
    }
  }

  void take(int bytes) {
    takenOfFirst += bytes;
    for (Integer size; (size = sizes.peekFirst()) != null && size <= takenOfFirst; ) {
      takenOfFirst -= size;
      sizes.removeFirst();
    }
  }

  int count() {
    return sizes.size();
  }
}

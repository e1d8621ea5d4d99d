package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.security.GeneralSecurityException;

/**
 * One direction of the transport phase: turns plaintext into messages, or messages into plaintext,
 * in the kind of memory that its cipher takes as it is. Used on the event loop only.
 */
interface RecordCipher {
  /**
   * Takes over {@code state}. The JDK's cipher works on arrays, and copies what is none. A native
   * one works on memory outside the heap. Of an array it takes a copy of <em>all</em>, however few
   * bytes are asked for, and writes all of that back: the array of a pooled buffer has megabytes,
   * and what other buffers got there meanwhile would be undone.
   */
  static RecordCipher of(CipherState state) {
    return state.isNative() ? new DirectRecordCipher(state) : new ArrayRecordCipher(state);
  }

  /** A buffer of the kind of memory that the cipher takes. */
  ByteBuf newBuffer(ByteBufAllocator alloc, int capacity, int maxCapacity);

  /** Encrypts the next {@code length} bytes of {@code plaintext} to the end of {@code out}. */
  void seal(ByteBuf plaintext, int length, ByteBuf out) throws GeneralSecurityException;

  /**
   * Decrypts the next {@code length} bytes of {@code in}, a whole message, to the end of {@code
   * out}, which is a {@link #newBuffer} with room for {@code length} bytes.
   *
   * @throws javax.crypto.AEADBadTagException if it is not authentic
   */
  void open(ByteBuf in, int length, ByteBuf out) throws GeneralSecurityException;

  /** Forgets the key. Later calls fail. */
  void destroy();
}

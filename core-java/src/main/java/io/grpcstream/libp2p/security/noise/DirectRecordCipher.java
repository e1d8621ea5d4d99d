package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;

/** For a native cipher: from socket to pipeline and back, the bytes never are on the heap. */
final class DirectRecordCipher implements RecordCipher {
  private final CipherState state;

  DirectRecordCipher(CipherState state) {
    this.state = state;
  }

  @Override
  public ByteBuf newBuffer(ByteBufAllocator alloc, int capacity, int maxCapacity) {
    return alloc.directBuffer(capacity, maxCapacity);
  }

  @Override
  public void seal(ByteBuf plaintext, int length, ByteBuf out) throws GeneralSecurityException {
    ByteBuf direct = readDirect(plaintext, length, out.alloc());
    try {
      ByteBuffer room = room(out, length + NoiseCrypto.TAG_LENGTH);
      advance(out, state.encrypt(direct.nioBuffer(), room));
    } finally {
      direct.release();
    }
  }

  @Override
  public void open(ByteBuf in, int length, ByteBuf out) throws GeneralSecurityException {
    ByteBuf direct = readDirect(in, length, out.alloc());
    try {
      advance(out, state.decrypt(direct.nioBuffer(), room(out, length)));
    } finally {
      direct.release();
    }
  }

  /** The next bytes of {@code in} in one piece of memory outside the heap, copied if they must. */
  private static ByteBuf readDirect(ByteBuf in, int length, ByteBufAllocator alloc) {
    if (in.isDirect() && in.nioBufferCount() == 1) {
      return in.readRetainedSlice(length);
    }
    return alloc.directBuffer(length).writeBytes(in, length);
  }

  private static ByteBuffer room(ByteBuf out, int length) {
    return out.ensureWritable(length).internalNioBuffer(out.writerIndex(), length);
  }

  private static void advance(ByteBuf out, int written) {
    out.writerIndex(out.writerIndex() + written);
  }

  @Override
  public void destroy() {
    state.destroy();
  }
}

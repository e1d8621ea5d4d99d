package io.grpcstream.libp2p.security.noise;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.util.concurrent.FastThreadLocal;
import java.security.GeneralSecurityException;

/** For a cipher that works on arrays, as the JDK's does. */
final class ArrayRecordCipher implements RecordCipher {
  /** Room for one message. It is only used within a call that does not leave this class. */
  private static final FastThreadLocal<byte[]> SCRATCH =
      new FastThreadLocal<>() {
        @Override
        protected byte[] initialValue() {
          return new byte[NoiseCodec.MAX_MESSAGE];
        }
      };

  private final CipherState state;

  ArrayRecordCipher(CipherState state) {
    this.state = state;
  }

  @Override
  public ByteBuf newBuffer(ByteBufAllocator alloc, int capacity, int maxCapacity) {
    return alloc.heapBuffer(capacity, maxCapacity);
  }

  @Override
  public void seal(ByteBuf plaintext, int length, ByteBuf out) throws GeneralSecurityException {
    byte[] scratch = SCRATCH.get();
    int sealed;
    if (plaintext.hasArray()) {
      int offset = plaintext.arrayOffset() + plaintext.readerIndex();
      sealed = state.encrypt(plaintext.array(), offset, length, scratch, 0);
      plaintext.skipBytes(length);
    } else {
      plaintext.readBytes(scratch, 0, length);
      sealed = state.encrypt(scratch, 0, length, scratch, 0);
    }
    out.writeBytes(scratch, 0, sealed);
  }

  /** By way of the scratch array, where the JDK's cipher reads a message without a copy. */
  @Override
  public void open(ByteBuf in, int length, ByteBuf out) throws GeneralSecurityException {
    byte[] scratch = SCRATCH.get();
    in.readBytes(scratch, 0, length);
    int offset = out.arrayOffset() + out.writerIndex();
    int opened = state.decrypt(scratch, 0, length, out.array(), offset);
    out.writerIndex(out.writerIndex() + opened);
  }

  @Override
  public void destroy() {
    state.destroy();
  }
}

package io.grpcstream.libp2p.security.noise;

import io.grpcstream.libp2p.crypto.PublicKey;
import io.grpcstream.libp2p.handover.Leftovers;
import io.grpcstream.libp2p.security.RemoteKeyCheck;
import io.grpcstream.libp2p.security.SecuredConnection;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;
import io.netty.util.concurrent.Promise;
import java.security.GeneralSecurityException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Runs a {@link NoiseHandshake} over a channel and then makes way for a {@link NoiseCodec}.
 *
 * <p>The order at the end: the codec is added behind this handler, the future completes and its
 * listeners add the next handlers (what they write is encrypted already), this handler leaves, and
 * the bytes that came after the last message go to the codec. While the handshake needs bytes the
 * handler reads for itself, so auto-read may be off. Writes before the end are failed: they must
 * not travel in clear.
 */
final class NoiseHandshakeHandler extends ChannelDuplexHandler {
  private final NoiseHandshake handshake;
  private final boolean initiator;
  private final byte[] payload;
  private final List<String> muxers;
  private final RemoteKeyCheck check;
  private final Promise<SecuredConnection> secured;
  private final HandshakeMessageReader reader = new HandshakeMessageReader();

  /** Buffers and events that arrived after the last message and before the listeners have run. */
  private final Leftovers held = new Leftovers();

  private @Nullable PublicKey remoteKey;
  private @Nullable String muxer;
  private boolean started;
  private boolean decided;
  private boolean reading;

  NoiseHandshakeHandler(
      NoiseHandshake handshake,
      boolean initiator,
      byte[] payload,
      List<String> muxers,
      RemoteKeyCheck check,
      Promise<SecuredConnection> secured) {
    this.handshake = handshake;
    this.initiator = initiator;
    this.payload = payload;
    this.muxers = List.copyOf(muxers);
    this.check = check;
    this.secured = secured;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    if (ctx.channel().isActive()) {
      start(ctx);
    }
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    start(ctx);
    ctx.fireChannelActive();
  }

  private void start(ChannelHandlerContext ctx) {
    if (started || secured.isDone()) {
      return;
    }
    started = true;
    try {
      if (initiator) {
        send(ctx, new byte[0]);
        ctx.flush();
      }
    } catch (GeneralSecurityException | LinkageError e) {
      fail("message 1 cannot be made: " + e.getMessage(), e);
    }
    readMore(ctx);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    if (secured.cause() != null || !(message instanceof ByteBuf in)) {
      ReferenceCountUtil.release(message);
    } else if (decided) {
      held.add(in);
    } else {
      reading = true;
      try {
        advance(ctx, in);
      } finally {
        reading = false;
      }
    }
  }

  private void advance(ChannelHandlerContext ctx, ByteBuf in) {
    try {
      for (byte[] message; !decided && (message = reader.read(in)) != null; ) {
        receive(ctx, message);
      }
    } catch (NoiseException e) {
      fail(String.valueOf(e.getMessage()), e);
    } catch (CheckFailedException e) {
      fail(e.failure);
    } catch (GeneralSecurityException | RuntimeException | LinkageError e) {
      fail("handshake message %d: %s".formatted(handshake.nextMessage(), e.getMessage()), e);
    }
    boolean complete = decided && secured.cause() == null;
    if (complete && in.isReadable()) {
      held.add(in);
    } else {
      in.release();
    }
    // What a remote on the same event loop answers may arrive within the flush.
    ctx.flush();
    if (complete) {
      complete(ctx);
    }
  }

  private void receive(ChannelHandlerContext ctx, byte[] message)
      throws GeneralSecurityException, NoiseException, CheckFailedException {
    byte[] received = handshake.readMessage(message);
    if (handshake.nextMessage() > 2) {
      authenticate(NoisePayload.decode(received));
    }
    if (handshake.mustWrite()) {
      send(ctx, payload);
    }
    decided = handshake.isComplete();
  }

  private void authenticate(NoisePayload received) throws NoiseException, CheckFailedException {
    PublicKey key = NoiseIdentity.verify(received, handshake.remoteStatic());
    try {
      check.check(key);
    } catch (Exception e) {
      throw new CheckFailedException(e);
    }
    remoteKey = key;
    muxer = agree(received.streamMuxers());
  }

  /** The first muxer of the initiator that the responder has too; null if a side named none. */
  private @Nullable String agree(List<String> remoteMuxers) throws NoiseException {
    if (muxers.isEmpty() || remoteMuxers.isEmpty()) {
      return null;
    }
    List<String> preferred = initiator ? muxers : remoteMuxers;
    List<String> others = initiator ? remoteMuxers : muxers;
    return preferred.stream()
        .filter(others::contains)
        .findFirst()
        .orElseThrow(
            () ->
                new NoiseException(
                    "no common stream muxer: ours %s, the remote's %s"
                        .formatted(muxers, remoteMuxers)));
  }

  private void send(ChannelHandlerContext ctx, byte[] messagePayload)
      throws GeneralSecurityException {
    byte[] message = handshake.writeMessage(messagePayload);
    ByteBuf out = ctx.alloc().buffer(2 + message.length);
    ctx.write(out.writeShort(message.length).writeBytes(message));
  }

  private void complete(ChannelHandlerContext ctx) {
    try {
      CipherState[] ciphers = handshake.split();
      ctx.pipeline().addAfter(ctx.name(), null, new NoiseCodec(ciphers[0], ciphers[1]));
    } catch (GeneralSecurityException | LinkageError e) {
      fail("the keys cannot be derived: " + e.getMessage(), e);
      return;
    }
    if (remoteKey != null && secured.trySuccess(new SecuredConnection(remoteKey, muxer))) {
      held.handOver(secured, ctx, () -> reading);
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    ctx.fireChannelReadComplete();
    readMore(ctx);
  }

  private void readMore(ChannelHandlerContext ctx) {
    if (!secured.isDone() && !ctx.channel().config().isAutoRead()) {
      ctx.read();
    }
  }

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (decided && secured.cause() == null) {
      held.add(event);
    } else {
      ctx.fireUserEventTriggered(event);
    }
  }

  @Override
  public void write(ChannelHandlerContext ctx, Object message, ChannelPromise promise) {
    if (secured.isSuccess()) {
      ctx.write(message, promise);
      return;
    }
    ReferenceCountUtil.release(message);
    promise.tryFailure(new NoiseException(describe("a write before the handshake was complete")));
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    fail(
        "the channel closed before handshake message %d, %s received"
            .formatted(handshake.nextMessage(), reader.unfinished()),
        null);
    ctx.fireChannelInactive();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (secured.isDone()) {
      ctx.fireExceptionCaught(cause);
    } else {
      fail("the channel failed: " + cause.getMessage(), cause);
    }
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    fail("the handler was removed before the handshake was complete", null);
    handshake.destroy();
    held.release();
  }

  private void fail(String what, @Nullable Throwable cause) {
    if (!secured.isDone()) { // as after every handshake, when this handler leaves
      fail(new NoiseException(describe(what), cause));
    }
  }

  private void fail(Throwable failure) {
    decided = true;
    if (secured.tryFailure(failure)) {
      handshake.destroy();
    }
  }

  private String describe(String what) {
    return "noise: " + what;
  }

  /** Carries what the {@link RemoteKeyCheck} threw. */
  private static final class CheckFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    final Exception failure;

    CheckFailedException(Exception failure) {
      super(failure);
      this.failure = failure;
    }
  }
}

package io.grpcstream.netty;

import static io.netty.handler.codec.http2.Http2Exception.connectionError;

import io.grpc.Status;
import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.text.DurationText;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.http2.Http2Connection;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import io.netty.handler.codec.http2.Http2Exception;
import io.netty.handler.codec.http2.Http2FrameListenerDecorator;
import io.netty.handler.codec.http2.Http2Settings;
import io.netty.handler.codec.http2.Http2Stream;
import io.netty.util.concurrent.ScheduledFuture;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Stands between HTTP/2 and gRPC on one stream, and sees to it that the peer's calls keep within
 * their limits: {@linkplain PeerBudget resets} and {@linkplain CallWindows memory}; and, where it
 * is the server's, that the messages of calls go on. Used on the event loop only.
 */
final class CallGuard extends Http2FrameListenerDecorator {
  /** A frame that is not full is copied if it has to wait, so as not to keep what came with it. */
  private static final int FULL_FRAME = 16_384;

  /** A peer that does not read cannot hold the end of its stream up for longer. */
  private static final int CUT_AFTER_SECONDS = 1;

  private final Stream stream;
  private final GrpcHttp2ConnectionHandler grpc;
  private final Http2Connection connection;
  private final CallWindows windows;
  private final PeerBudget budget;
  private final RefusalLog refusals;
  private final Duration stallTimeout;
  private @Nullable ScheduledFuture<?> stallTimer;
  private boolean cut;

  private CallGuard(
      Stream stream,
      GrpcHttp2ConnectionHandler grpc,
      PeerBudget budget,
      RefusalLog refusals,
      Duration stallTimeout) {
    super(grpc.decoder().frameListener());
    this.stream = stream;
    this.grpc = grpc;
    this.budget = budget;
    this.refusals = refusals;
    this.stallTimeout = stallTimeout;
    connection = grpc.connection();
    if (connection.isServer()) {
      connection.addListener(new Lives()); // Before the windows, which forget a call that closes.
    }
    windows = CallWindows.install(connection, budget);
  }

  /**
   * Guards {@code grpc}, which must not be in a pipeline yet.
   *
   * @param stallTimeout how long a peer may leave a message half sent; for a client's calls, which
   *     have deadlines of their own, only where other peers wait for what is kept for it
   */
  static void install(
      Stream stream,
      GrpcHttp2ConnectionHandler grpc,
      PeerBudget budget,
      RefusalLog refusals,
      Duration stallTimeout) {
    CallGuard guard = new CallGuard(stream, grpc, budget, refusals, stallTimeout);
    grpc.decoder().frameListener(guard);
    stream.channel().closeFuture().addListener(closed -> guard.stopTimer());
    if (guard.connection.isServer()) {
      PeerErrorLog.watch(grpc, stream, refusals, () -> guard.cut);
    }
  }

  private void stopTimer() {
    if (stallTimer != null) {
      stallTimer.cancel(false);
    }
  }

  @Override
  public void onSettingsRead(ChannelHandlerContext ctx, Http2Settings settings)
      throws Http2Exception {
    Long headers = settings.maxHeaderListSize();
    if (headers != null) {
      HeaderSize.setLimit(stream, headers);
      // A client's HTTP/2 keeps to it by itself, a server's does not (RFC 9113, section 6.5.2, only
      // advises). What is beyond fails here, and only that call.
      grpc.encoder().configuration().headersConfiguration().maxHeaderListSize(headers);
    }
    super.onSettingsRead(ctx, settings);
    windows.openConnectionWindow();
  }

  // --- resets ------------------------------------------------------------------------------------

  @Override
  public void onRstStreamRead(ChannelHandlerContext ctx, int streamId, long errorCode)
      throws Http2Exception {
    Http2Stream call = connection.stream(streamId);
    if (call != null && isRapid(call) && !budget.spendReset()) {
      throw cut();
    }
    super.onRstStreamRead(ctx, streamId, errorCode);
  }

  /** Whether a call ends so early that it is its caller's doing alone. */
  private boolean isRapid(Http2Stream call) {
    CallInput input = windows.input(call);
    return input != null
        && !call.isHeadersSent()
        && System.nanoTime() - input.startedAt < PeerBudget.RAPID_NANOS;
  }

  private Http2Exception cut() {
    String text = "too many calls reset before an answer: " + budget.resetBudget();
    if (!cut) {
      cut = true;
      refusals.refused(stream, Refusal.CALL_RESETS, text);
      stream.channel().eventLoop().schedule(stream::reset, CUT_AFTER_SECONDS, TimeUnit.SECONDS);
    }
    return connectionError(Http2Error.ENHANCE_YOUR_CALM, "%s", "peer " + budget.peer + ": " + text);
  }

  /**
   * How calls end: by answers, and by resets of ours that the caller has brought about, also with
   * headers that never get as far as gRPC.
   */
  private final class Lives extends Http2ConnectionAdapter {
    @Override
    public void onStreamHalfClosed(Http2Stream call) {
      ChannelHandlerContext ctx = stream.channel().pipeline().context(grpc);
      if (call.state() == Http2Stream.State.HALF_CLOSED_LOCAL && ctx != null) {
        // Not within a change of the connection's streams; and the rest may just be arriving.
        ctx.executor().execute(() -> stopSending(ctx, call));
      }
    }

    @Override
    public void onStreamClosed(Http2Stream call) {
      if (call.isHeadersSent()) {
        budget.answered();
      } else if (call.isResetSent() && isRapid(call) && !cut && !budget.spendReset()) {
        ChannelHandlerContext ctx = stream.channel().pipeline().context(grpc);
        if (ctx != null) {
          Http2Exception tooMany = cut();
          // Not within a change of the connection's streams.
          ctx.executor().execute(() -> grpc.onError(ctx, true, tooMany));
        }
      }
    }
  }

  /**
   * Tells the caller of a call that we have answered in full that nobody reads the rest of what it
   * sends (RFC 9113, section 8.1): else it would wait, with what is left, for a window that nobody
   * gives any more.
   */
  private void stopSending(ChannelHandlerContext ctx, Http2Stream call) {
    if (call.state() == Http2Stream.State.HALF_CLOSED_LOCAL) {
      grpc.encoder().writeRstStream(ctx, call.id(), Http2Error.NO_ERROR.code(), ctx.newPromise());
      ctx.flush();
    }
  }

  // --- memory ------------------------------------------------------------------------------------

  @Override
  public int onDataRead(
      ChannelHandlerContext ctx, int streamId, ByteBuf data, int padding, boolean endOfStream)
      throws Http2Exception {
    Http2Stream call = connection.stream(streamId);
    CallInput input = call == null ? null : windows.input(call);
    if (call == null || input == null) {
      return super.onDataRead(ctx, streamId, data, padding, endOfStream);
    }
    int bytes = data.readableBytes();
    boolean waits = input.message.begun() > 0 || input.unread > bytes;
    int returned;
    if (waits && bytes < FULL_FRAME) {
      ByteBuf copy = ctx.alloc().buffer(bytes).writeBytes(data, data.readerIndex(), bytes);
      try {
        returned = super.onDataRead(ctx, streamId, copy, padding, endOfStream);
      } finally {
        copy.release();
      }
    } else {
      returned = super.onDataRead(ctx, streamId, data, padding, endOfStream);
    }
    if (!windows.hasRoom(call)) {
      String text =
          "a call ended, as the peer's calls hold %,d bytes unread and unfinished, which is all it"
                  .formatted(budget.held.get())
              + " may have beside other peers; limit for all %,d".formatted(budget.all.memory);
      refusals.refused(stream, Refusal.CALL_MEMORY, text);
      end(
          ctx,
          call,
          Status.RESOURCE_EXHAUSTED.withDescription("peer " + budget.peer + ": " + text));
    }
    if (input.message.begun() > 0 && stallTimer == null) {
      awaitStall(ctx);
    }
    return returned - padding; // Which the windows have had back on its arrival.
  }

  // --- messages that do not go on ----------------------------------------------------------------

  /** One timer a stream looks at all calls: it may find a stall up to as much too late. */
  private void awaitStall(ChannelHandlerContext ctx) {
    Runnable check =
        () -> {
          stallTimer = null;
          try {
            endStalled(ctx);
          } catch (Http2Exception e) {
            grpc.onError(ctx, true, e);
          }
        };
    stallTimer = ctx.executor().schedule(check, stallTimeout.toNanos(), TimeUnit.NANOSECONDS);
  }

  private void endStalled(ChannelHandlerContext ctx) throws Http2Exception {
    long since = System.nanoTime() - stallTimeout.toNanos();
    List<Http2Stream> stalled = new ArrayList<>();
    boolean[] unfinished = new boolean[1];
    connection.forEachActiveStream(
        call -> {
          CallInput input = windows.input(call);
          if (windows.isStalled(call, since)) {
            stalled.add(call);
          } else if (input != null && input.message.begun() > 0) {
            unfinished[0] = true;
          }
          return true;
        });
    for (Http2Stream call : stalled) {
      CallInput input = windows.input(call);
      if (input == null) {
        continue; // It ended with another one.
      }
      String text =
          "a call ended, as of a message %,d bytes came, %,d are missing, and none or too few came in %s"
              .formatted(
                  input.message.begun(), input.message.missing(), DurationText.of(stallTimeout));
      refusals.refused(stream, Refusal.STALLED, text);
      end(ctx, call, Status.DEADLINE_EXCEEDED.withDescription("peer " + budget.peer + ": " + text));
    }
    ctx.flush();
    if (unfinished[0]) {
      awaitStall(ctx);
    }
  }

  /** Ends a call for the caller, by {@code status}, and for the service, as one cancelled. */
  private void end(ChannelHandlerContext ctx, Http2Stream call, Status status)
      throws Http2Exception {
    CallEnd.send(ctx, grpc, call, status, listener);
  }
}

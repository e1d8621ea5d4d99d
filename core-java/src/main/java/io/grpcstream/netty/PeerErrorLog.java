package io.grpcstream.netty;

import io.grpc.netty.GrpcHttp2ConnectionHandler;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.netty.buffer.ByteBuf;
import io.netty.handler.codec.http2.Http2ConnectionAdapter;
import io.netty.handler.codec.http2.Http2Error;
import java.nio.charset.StandardCharsets;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What a peer does wrong on a stream that is served: told in one line with the peer's name to whom
 * it concerns, who can limit the rate.
 *
 * <p>grpc-netty and Netty would log the same by themselves, without a name or a limit and mostly
 * with a stack: a peer could fill the log, and one that just leaves would be in it, too. So what
 * they would log does not get to them: {@link CheckedFrames} takes out frames, {@link
 * QuietLifecycle} failures of writes, {@link StreamEndHandler} what comes after the end, and the
 * cause of the end. What cannot be kept from them, as nothing of ours stands between the bytes of a
 * frame and their handling, is in the documentation of {@code GrpcStream}.
 */
final class PeerErrorLog extends Http2ConnectionAdapter {
  private static final Logger log = LoggerFactory.getLogger(PeerErrorLog.class);
  private static final int MAX_TEXT = 160;

  private final Stream stream;
  private final RefusalLog refusals;
  private final BooleanSupplier known;

  private PeerErrorLog(Stream stream, RefusalLog refusals, BooleanSupplier known) {
    this.stream = stream;
    this.refusals = refusals;
    this.known = known;
  }

  /**
   * Reports the faults of the peer to {@code refusals}.
   *
   * @param grpc on which all else that listens to frames has been set
   * @param known whether it has been reported already why the connection ends
   */
  static void watch(
      GrpcHttp2ConnectionHandler grpc, Stream stream, RefusalLog refusals, BooleanSupplier known) {
    PeerErrorLog faults = new PeerErrorLog(stream, refusals, known);
    grpc.connection().addListener(faults);
    grpc.decoder().frameListener(new CheckedFrames(grpc, faults, grpc.decoder().frameListener()));
  }

  void report(String fault) {
    refusals.refused(stream, Refusal.PROTOCOL_VIOLATION, fault);
  }

  /** A connection error (RFC 9113, section 5.4.1): it ends all calls of the stream. */
  @Override
  public void onGoAwaySent(int lastStreamId, long errorCode, ByteBuf debugData) {
    if (errorCode == Http2Error.NO_ERROR.code() || errorCode == Http2Error.REFUSED_STREAM.code()) {
      return; // Drained, idle, old or out of stream ids: calls in flight go on.
    }
    StreamEndHandler.endReading(stream.channel());
    String text = printable(debugData.toString(StandardCharsets.UTF_8));
    if (known.getAsBoolean() || errorCode == Http2Error.INTERNAL_ERROR.code()) {
      // The latter is also what gRPC's handler calls the end of the stream below it.
      log.debug("{}: {}", StreamAttachment.describe(stream), text);
    } else {
      report("ended, as the peer broke HTTP/2 (" + nameOf(errorCode) + "): " + text);
    }
  }

  /** Without line ends and the like: the text may quote what the peer sent. */
  private static String printable(String text) {
    String start = text.length() > MAX_TEXT ? text.substring(0, MAX_TEXT) + "…" : text;
    return start.replaceAll("\\p{Cntrl}", "?");
  }

  private static String nameOf(long errorCode) {
    Http2Error error = Http2Error.valueOf(errorCode);
    return error == null ? "0x" + Long.toHexString(errorCode) : error.name();
  }
}

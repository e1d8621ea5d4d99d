package io.grpcstream.libp2p.connection;

import io.grpcstream.libp2p.LimitExceededException;
import io.grpcstream.libp2p.Refusal;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.StreamHandler;
import io.grpcstream.libp2p.multistream.MultistreamResponder;
import io.grpcstream.libp2p.mux.StreamChannel;
import io.grpcstream.libp2p.resources.FailureText;
import io.grpcstream.libp2p.resources.ResourceManager.StreamSlot;
import io.grpcstream.libp2p.stream.ReadGate;
import io.netty.util.concurrent.Future;

/**
 * Takes one stream that the peer opened: slot, agreement on a protocol, handler. What is refused is
 * reset, counted and logged; nobody else notices. Runs on the connection's event loop.
 */
final class InboundNegotiation {
  private final DefaultConnection connection;
  private final StreamRules rules;
  private final StreamChannel channel;

  InboundNegotiation(DefaultConnection connection, StreamRules rules, StreamChannel channel) {
    this.connection = connection;
    this.rules = rules;
    this.channel = channel;
  }

  void begin() {
    if (connection.isHostClosing()) {
      channel.reset();
      return;
    }
    if (!connection.negotiating(channel)) {
      // No reset, which would tell the peer that the stream is refused: with the end of the
      // connection it knows that it may try another one.
      connection.close();
      return;
    }
    StreamSlot slot;
    try {
      slot = rules.resources().stream(connection.remotePeer(), true);
    } catch (LimitExceededException e) {
      channel.reset();
      return;
    }
    channel.finished().addListener(f -> slot.release());
    MultistreamResponder negotiation =
        new MultistreamResponder(rules.handlers()::contains, rules.timeout());
    channel.pipeline().addLast(negotiation);
    negotiation
        .agreed()
        .addListener(
            (Future<String> agreed) -> {
              if (agreed.isSuccess()) {
                onAgreed(agreed.getNow(), slot);
              } else {
                refuse(Refusal.STREAM_NEGOTIATION_FAILED, agreed.cause());
              }
            });
  }

  private void onAgreed(String protocol, StreamSlot slot) {
    StreamHandler handler = rules.handlers().get(protocol);
    if (handler == null || connection.isHostClosing()) {
      // Its handler was removed, or the host closed, between agreement and now.
      channel.reset();
      return;
    }
    try {
      slot.setProtocol(protocol);
    } catch (LimitExceededException e) {
      channel.reset();
      return;
    }
    ReadGate held = ReadGate.inbound();
    channel.pipeline().addLast(held);
    Stream stream = connection.admit(channel, protocol, false);
    try {
      handler.onStream(stream);
    } catch (Exception | LinkageError | AssertionError e) {
      refuse(Refusal.STREAM_HANDLER_FAILED, e);
      return;
    }
    held.handled();
  }

  private void refuse(Refusal refusal, Throwable cause) {
    // A stream that ended with its connection, or with the host, is nobody's fault.
    if (connection.isOpen() && !connection.isHostClosing()) {
      rules
          .refusals()
          .add(
              refusal,
              "stream from peer %s at %s: %s"
                  .formatted(
                      connection.remotePeer(),
                      connection.remoteAddress(),
                      refusal == Refusal.STREAM_HANDLER_FAILED
                          ? "its handler threw "
                              + (cause instanceof LinkageError ? FailureText.of(cause) : cause)
                          : FailureText.of(cause)));
    }
    channel.reset();
  }
}

package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.AbstractStreamChannel;
import io.grpcstream.libp2p.mux.StreamChannelContract;

class YamuxStreamContractTest extends StreamChannelContract {
  private static final int WINDOW = 262_144;

  private final Side side = new Side(true);
  private YamuxStreamChannel stream;
  private int received;
  private Seen seen = Seen.OPEN;

  @Override
  protected AbstractStreamChannel open() {
    stream = side.open();
    side.sent();
    side.feed(Frame.windowUpdate(Frame.ACK, 1, 0));
    return stream;
  }

  @Override
  protected void peerEnds() {
    side.feed(Frame.windowUpdate(Frame.FIN, 1, 0));
    side.runTasks();
  }

  @Override
  protected void peerResets() {
    side.feed(Frame.windowUpdate(Frame.RST, 1, 0));
    side.runTasks();
  }

  /** By a window that is used up. */
  @Override
  protected void stall() {
    stream.writeAndFlush(Side.buffer(WINDOW));
    side.sent();
  }

  @Override
  protected void relieve() {
    side.feed(Frame.windowUpdate(0, 1, WINDOW));
    side.runTasks();
  }

  @Override
  protected int received() {
    look();
    return received;
  }

  @Override
  protected Seen seen() {
    look();
    return seen;
  }

  private void look() {
    for (Frame frame : side.sent()) {
      received += frame.payload().length;
      if (frame.has(Frame.RST)) {
        seen = Seen.RESET;
      } else if (frame.has(Frame.FIN)) {
        seen = Seen.END;
      }
    }
  }

  @Override
  protected void runTasks() {
    side.runTasks();
  }

  @Override
  protected void finish() {
    side.finish();
  }
}

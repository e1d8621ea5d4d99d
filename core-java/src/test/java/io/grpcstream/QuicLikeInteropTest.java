package io.grpcstream;

import io.grpcstream.libp2p.Stream;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * The suite over streams made by {@link Stream#over} of channels like those of jvm-libp2p over
 * QUIC.
 */
@RunWith(JUnit4.class)
public class QuicLikeInteropTest extends InteropSuite {
  private static Wire wire;

  @BeforeClass
  public static void openWire() {
    wire = Wire.quicLike();
  }

  @AfterClass
  public static void closeWire() {
    wire.close();
  }

  @Override
  Stream openTo(GrpcStream acceptor) {
    return wire.open(acceptor.handler());
  }
}

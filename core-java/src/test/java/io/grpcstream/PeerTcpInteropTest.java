package io.grpcstream;

import io.grpcstream.libp2p.Host;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The suite from peer to peer: Noise and yamux over TCP. */
@RunWith(JUnit4.class)
public class PeerTcpInteropTest extends PeerInteropSuite {
  @Override
  Host.Builder options(Host.Builder builder) {
    return builder.listen(Hosts.TCP).security("/noise");
  }
}

package io.grpcstream;

import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** The suite from host to host: Noise and yamux over TCP. */
@RunWith(JUnit4.class)
public class HostTcpInteropTest extends InteropSuite {
  private static Hosts hosts;
  private static Host listener;
  private static Host opener;

  @BeforeClass
  public static void startHosts() {
    hosts = new Hosts();
    listener = hosts.start(builder -> builder.listen(Hosts.TCP).security("/noise"));
    opener = hosts.start(builder -> builder.listen(Hosts.TCP).security("/noise"));
  }

  @AfterClass
  public static void closeHosts() {
    hosts.close();
  }

  @Override
  Stream openTo(GrpcStream acceptor) {
    return Hosts.open(opener, listener, acceptor.handler());
  }
}

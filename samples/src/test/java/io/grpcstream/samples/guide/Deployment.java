package io.grpcstream.samples.guide;

import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Server;
import io.grpc.protobuf.services.HealthStatusManager;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

final class Deployment {
  private Deployment() {}

  // guide: deployment/key
  static PeerId peerIdOf(Path keyFile) throws IOException {
    return PeerId.of(PrivateKey.loadOrCreate(keyFile).publicKey());
  }

  /** Of a file that a group may read, which loadOrCreate refuses. */
  static PrivateKey keyOf(Path secret) throws IOException {
    return PrivateKey.unmarshal(Files.readAllBytes(secret));
  }

  // end

  // guide: deployment/probe
  static Server probePort(HealthStatusManager health, int port) throws IOException {
    return Grpc.newServerBuilderForPort(port, InsecureServerCredentials.create())
        .addService(health.getHealthService())
        .build()
        .start();
  }
  // end
}

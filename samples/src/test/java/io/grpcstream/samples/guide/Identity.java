package io.grpcstream.samples.guide;

import io.grpc.BindableService;
import io.grpc.ServerCall;
import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.PeerContext;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.crypto.PrivateKey;
import java.io.IOException;
import java.nio.file.Path;

final class Identity {
  private Identity() {}

  // guide: identity/keep
  static GrpcPeer keptPeer(Path keyFile, BindableService service) throws IOException {
    return GrpcPeer.builder()
        .identity(PrivateKey.loadOrCreate(keyFile)) // readable by its owner only
        .listen("/ip4/127.0.0.1/tcp/0")
        .serve(GrpcStream.create().registerService(service))
        .build();
  }

  // end

  // guide: identity/who
  static final class WhoCalls extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      PeerContext caller = PeerContext.current();
      String message =
          caller.peerId() + " from " + caller.remoteAddress() + " by " + caller.protocol();
      replies.onNext(HelloReply.newBuilder().setMessage(message).build());
      replies.onCompleted();
    }
  }

  // end

  // guide: identity/interceptor
  static PeerId callerOf(ServerCall<?, ?> call) {
    return PeerContext.of(call).peerId();
  }
  // end
}

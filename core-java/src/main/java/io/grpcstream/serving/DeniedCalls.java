package io.grpcstream.serving;

import com.google.protobuf.Empty;
import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import io.grpc.protobuf.ProtoUtils;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.netty.StreamAttachment;
import org.jspecify.annotations.Nullable;

/**
 * All that a peer which the {@code PeerAuthorizer} refused gets to see of us: whatever method it
 * calls, {@code PERMISSION_DENIED}. So it cannot even find out which services there are.
 */
final class DeniedCalls extends HandlerRegistry {
  /** For any method, as no message is read or sent. */
  private static final MethodDescriptor.Marshaller<Empty> NO_MESSAGE =
      ProtoUtils.marshaller(Empty.getDefaultInstance());

  @Override
  public ServerMethodDefinition<?, ?> lookupMethod(String method, @Nullable String authority) {
    MethodDescriptor<Empty, Empty> any =
        MethodDescriptor.<Empty, Empty>newBuilder()
            .setType(MethodDescriptor.MethodType.UNKNOWN)
            .setFullMethodName(method)
            .setRequestMarshaller(NO_MESSAGE)
            .setResponseMarshaller(NO_MESSAGE)
            .build();
    ServerCallHandler<Empty, Empty> denied = DeniedCalls::deny;
    return ServerMethodDefinition.create(any, denied);
  }

  private static ServerCall.Listener<Empty> deny(ServerCall<Empty, Empty> call, Metadata headers) {
    Stream stream = call.getAttributes().get(StreamAttachment.STREAM);
    call.close(
        Status.PERMISSION_DENIED.withDescription(
            "peer " + stream.remotePeer() + " is not allowed to use " + stream.protocol()),
        new Metadata());
    return new ServerCall.Listener<>() {};
  }
}

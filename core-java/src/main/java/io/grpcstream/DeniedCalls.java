package io.grpcstream;

import io.grpc.HandlerRegistry;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerMethodDefinition;
import io.grpc.Status;
import java.io.ByteArrayInputStream;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * All that a peer which the {@link PeerAuthorizer} refused gets to see of us: whatever method it
 * calls, {@code PERMISSION_DENIED}. So it cannot even find out which services there are.
 */
final class DeniedCalls extends HandlerRegistry {
  @Override
  public ServerMethodDefinition<?, ?> lookupMethod(String method, @Nullable String authority) {
    MethodDescriptor<byte[], byte[]> any =
        MethodDescriptor.<byte[], byte[]>newBuilder()
            .setType(MethodDescriptor.MethodType.UNKNOWN)
            .setFullMethodName(method)
            .setRequestMarshaller(NoBytes.INSTANCE)
            .setResponseMarshaller(NoBytes.INSTANCE)
            .build();
    ServerCallHandler<byte[], byte[]> denied = DeniedCalls::deny;
    return ServerMethodDefinition.create(any, denied);
  }

  private static ServerCall.Listener<byte[]> deny(
      ServerCall<byte[], byte[]> call, Metadata headers) {
    PeerContext peer = call.getAttributes().get(PeerContext.TRANSPORT_ATTR);
    call.close(
        Status.PERMISSION_DENIED.withDescription(
            "peer " + peer.peerId() + " is not allowed to use " + peer.protocol()),
        new Metadata());
    return new ServerCall.Listener<>() {};
  }

  /** No message is read or sent. */
  private enum NoBytes implements MethodDescriptor.Marshaller<byte[]> {
    INSTANCE;

    @Override
    public InputStream stream(byte[] value) {
      return new ByteArrayInputStream(value);
    }

    @Override
    public byte[] parse(InputStream stream) {
      return new byte[0];
    }
  }
}

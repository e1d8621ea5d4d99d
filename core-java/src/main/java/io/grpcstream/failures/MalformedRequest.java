package io.grpcstream.failures;

import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServerMethodDefinition;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import java.io.InputStream;
import org.jspecify.annotations.Nullable;

/**
 * Stands for a request that cannot be parsed, on its way from the marshaller to the first listener,
 * which is the one of {@code FailureInterceptor}.
 *
 * <p>What a marshaller throws, gRPC makes {@code UNKNOWN} and logs with its stack, without a name
 * and without a limit: each peer could fill the log by bytes that are no message.
 */
public record MalformedRequest(Throwable failure) {
  Status status() {
    FailureMapping.Closing carried = FailureMapping.carriedBy(failure);
    // Of protobuf's marshaller, this is INTERNAL with a text that is not about our inside.
    return carried == null || carried.status().isOk()
        ? Status.INTERNAL.withDescription("malformed request").withCause(failure)
        : carried.status();
  }

  /** The same service, whose methods take malformed requests to {@code FailureInterceptor}. */
  public static ServerServiceDefinition passedOn(ServerServiceDefinition service) {
    ServiceDescriptor original = service.getServiceDescriptor();
    ServiceDescriptor.Builder descriptor =
        ServiceDescriptor.newBuilder(original.getName())
            .setSchemaDescriptor(original.getSchemaDescriptor());
    var methods = service.getMethods().stream().map(MalformedRequest::passedOn).toList();
    methods.forEach(method -> descriptor.addMethod(method.getMethodDescriptor()));
    ServerServiceDefinition.Builder passing = ServerServiceDefinition.builder(descriptor.build());
    methods.forEach(passing::addMethod);
    return passing.build();
  }

  private static <Q, R> ServerMethodDefinition<Q, R> passedOn(ServerMethodDefinition<Q, R> method) {
    MethodDescriptor<Q, R> original = method.getMethodDescriptor();
    Marshaller<Q> marshaller = original.getRequestMarshaller();
    Marshaller<Q> passing =
        marshaller instanceof PrototypeMarshaller<Q> prototypes
            ? new PassingPrototypes<>(prototypes)
            : new Passing<>(marshaller);
    return ServerMethodDefinition.create(
        original.toBuilder(passing, original.getResponseMarshaller()).build(),
        method.getServerCallHandler());
  }

  private static class Passing<Q> implements Marshaller<Q> {
    private final Marshaller<Q> delegate;

    Passing(Marshaller<Q> delegate) {
      this.delegate = delegate;
    }

    @Override
    public InputStream stream(Q value) {
      return delegate.stream(value);
    }

    /** In place of a message, which no one but the first listener gets to see. */
    @Override
    @SuppressWarnings("unchecked")
    public Q parse(InputStream stream) {
      try {
        return delegate.parse(stream);
      } catch (Throwable e) { // Also an error, such as a stack that bytes made overflow.
        return (Q) new MalformedRequest(e);
      }
    }
  }

  /** For interceptors that ask a marshaller which messages it makes. */
  private static final class PassingPrototypes<Q> extends Passing<Q>
      implements PrototypeMarshaller<Q> {
    private final PrototypeMarshaller<Q> delegate;

    PassingPrototypes(PrototypeMarshaller<Q> delegate) {
      super(delegate);
      this.delegate = delegate;
    }

    @Override
    public @Nullable Q getMessagePrototype() {
      return delegate.getMessagePrototype();
    }

    @Override
    public Class<Q> getMessageClass() {
      return delegate.getMessageClass();
    }
  }
}

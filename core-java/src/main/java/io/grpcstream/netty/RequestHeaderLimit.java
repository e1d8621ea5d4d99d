package io.grpcstream.netty;

import io.grpc.Attributes;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpcstream.libp2p.Stream;
import io.netty.handler.codec.http2.Http2Exception.HeaderListSizeException;

/**
 * Says what is wrong with a call whose headers the peer does not take: HTTP/2 fails it, and it
 * alone, before anything is sent, but only with "http2 exception". To be the innermost interceptor.
 */
final class RequestHeaderLimit implements ClientInterceptor {
  @Override
  public <Q, R> ClientCall<Q, R> interceptCall(
      MethodDescriptor<Q, R> method, CallOptions options, Channel next) {
    return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
      @Override
      public void start(Listener<R> listener, Metadata headers) {
        super.start(
            new SimpleForwardingClientCallListener<>(listener) {
              @Override
              public void onClose(Status status, Metadata trailers) {
                super.onClose(explained(status, method, headers, getAttributes()), trailers);
              }
            },
            headers);
      }
    };
  }

  private static Status explained(
      Status status, MethodDescriptor<?, ?> method, Metadata headers, Attributes transport) {
    Stream stream = transport.get(StreamAttachment.STREAM);
    if (stream != null
        && status.getCause() instanceof HeaderListSizeException cause
        && !cause.duringDecode()) {
      long size = HeaderSize.of(headers) + HeaderSize.FIELD + method.getFullMethodName().length();
      return Status.RESOURCE_EXHAUSTED
          .withDescription(
              "%s: the call's headers have more than %,d bytes, of which the peer takes %,d"
                  .formatted(StreamAttachment.describe(stream), size, HeaderSize.limit(stream)))
          .withCause(cause);
    }
    return status;
  }
}

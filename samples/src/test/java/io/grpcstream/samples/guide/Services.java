package io.grpcstream.samples.guide;

import com.google.protobuf.Any;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import io.grpc.Channel;
import io.grpc.ClientInterceptor;
import io.grpc.Context;
import io.grpc.Contexts;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.MetadataUtils;
import io.grpc.stub.StreamObserver;
import io.grpcstream.ExceptionTypes;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingStub;
import io.grpcstream.greeter.GreeterGrpc.GreeterBlockingV2Stub;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;

final class Services {
  private Services() {}

  // guide: services/kinds
  static final class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      replies.onNext(greeting(request.getName()));
      replies.onCompleted();
    }

    @Override
    public void sayHelloStream(HelloRequest request, StreamObserver<HelloReply> replies) {
      for (String part : request.getName().split(" ")) {
        replies.onNext(greeting(part));
      }
      replies.onCompleted();
    }

    @Override
    public StreamObserver<HelloRequest> sayHelloMany(StreamObserver<HelloReply> replies) {
      List<String> names = new ArrayList<>();
      return new StreamObserver<>() {
        @Override
        public void onNext(HelloRequest request) {
          names.add(request.getName());
        }

        @Override
        public void onCompleted() {
          replies.onNext(greeting(String.join(" and ", names)));
          replies.onCompleted();
        }

        @Override
        public void onError(Throwable gone) {} // The caller has left: nobody waits for an answer.
      };
    }

    @Override
    public StreamObserver<HelloRequest> chat(StreamObserver<HelloReply> replies) {
      return new StreamObserver<>() {
        @Override
        public void onNext(HelloRequest request) {
          replies.onNext(greeting(request.getName()));
        }

        @Override
        public void onCompleted() {
          replies.onCompleted();
        }

        @Override
        public void onError(Throwable gone) {}
      };
    }

    private static HelloReply greeting(String who) {
      return HelloReply.newBuilder().setMessage("Hello, " + who + "!").build();
    }
  }

  // end

  // guide: services/calls
  static List<String> callAllKinds(Channel channel) throws Exception {
    GreeterBlockingV2Stub greeter = GreeterGrpc.newBlockingV2Stub(channel);
    List<String> messages = new ArrayList<>();
    messages.add(greeter.sayHello(request("Ada Lovelace")).getMessage());

    BlockingClientCall<?, HelloReply> many = greeter.sayHelloStream(request("Ada Lovelace"));
    while (many.hasNext()) {
      messages.add(many.read().getMessage());
    }

    BlockingClientCall<HelloRequest, HelloReply> one = greeter.sayHelloMany();
    one.write(request("Ada"));
    one.write(request("Grace"));
    one.halfClose();
    messages.add(one.read().getMessage());

    BlockingClientCall<HelloRequest, HelloReply> chat = greeter.chat();
    for (String name : List.of("Ada", "Grace")) {
      chat.write(request(name));
      messages.add(chat.read().getMessage());
    }
    chat.halfClose();
    return messages;
  }

  static HelloRequest request(String name) {
    return HelloRequest.newBuilder().setName(name).build();
  }

  // end

  // guide: services/status
  static final class ChoosyGreeter extends GreeterGrpc.GreeterImplBase {
    private final Set<String> known;

    ChoosyGreeter(Set<String> known) {
      this.known = known;
    }

    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      if (request.getName().isEmpty()) {
        replies.onError(noName());
      } else if (!known.contains(request.getName())) {
        String text = "no " + request.getName() + " here";
        replies.onError(Status.NOT_FOUND.withDescription(text).asException());
      } else {
        String message = "Hello, " + request.getName() + "!";
        replies.onNext(HelloReply.newBuilder().setMessage(message).build());
        replies.onCompleted();
      }
    }

    private static StatusException noName() {
      FieldViolation violation = FieldViolation.newBuilder().setField("name").build();
      return StatusProto.toStatusException(
          com.google.rpc.Status.newBuilder()
              .setCode(Code.INVALID_ARGUMENT.getNumber())
              .setMessage("no name")
              .addDetails(Any.pack(BadRequest.newBuilder().addFieldViolations(violation).build()))
              .build());
    }
  }

  // end

  // guide: services/catch
  static String whatIsWrong(GreeterBlockingStub greeter, HelloRequest request) throws Exception {
    try {
      return greeter.sayHello(request).getMessage();
    } catch (StatusRuntimeException e) {
      String field = null;
      for (Any detail : StatusProto.fromThrowable(e).getDetailsList()) {
        if (detail.is(BadRequest.class)) {
          field = detail.unpack(BadRequest.class).getFieldViolations(0).getField();
        }
      }
      return e.getStatus().getCode() + ": " + e.getStatus().getDescription() + ", field " + field;
    }
  }

  // end

  // guide: services/map
  static final class UnknownName extends RuntimeException {
    private static final long serialVersionUID = 1;
    final String name;

    UnknownName(String name) {
      super("no " + name + " in the database at 10.0.0.7");
      this.name = name;
    }
  }

  static GrpcStream mapped(GreeterGrpc.GreeterImplBase greeter) {
    return GrpcStream.builder()
        .addService(greeter)
        .mapFailure(
            failure ->
                failure instanceof UnknownName unknown
                    ? Status.NOT_FOUND.withDescription("no " + unknown.name)
                    : null) // asks the next one
        .mapFailure(ExceptionTypes::statusOf) // IllegalArgumentException is INVALID_ARGUMENT…
        .build();
  }

  // end

  // guide: services/metadata
  static final Metadata.Key<String> LANGUAGE =
      Metadata.Key.of("language", Metadata.ASCII_STRING_MARSHALLER);
  static final Context.Key<String> SPOKEN = Context.key("language");

  static final class Languages implements ServerInterceptor {
    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
        ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
      String language = headers.get(LANGUAGE); // what the caller claims
      String spoken = language == null ? "en" : language;
      ServerCall<Q, R> answering =
          new SimpleForwardingServerCall<>(call) {
            @Override
            public void sendHeaders(Metadata responseHeaders) {
              responseHeaders.put(LANGUAGE, spoken);
              super.sendHeaders(responseHeaders);
            }
          };
      Context context = Context.current().withValue(SPOKEN, spoken); // for the service
      return Contexts.interceptCall(context, answering, headers, next);
    }
  }

  static String languageOfAnswer(Channel channel) {
    Metadata headers = new Metadata();
    headers.put(LANGUAGE, "fr");
    AtomicReference<Metadata> answered = new AtomicReference<>();
    ClientInterceptor send = MetadataUtils.newAttachHeadersInterceptor(headers);
    ClientInterceptor capture =
        MetadataUtils.newCaptureMetadataInterceptor(answered, new AtomicReference<>());
    GreeterGrpc.newBlockingStub(channel).withInterceptors(send, capture).sayHello(request("Ada"));
    return answered.get().get(LANGUAGE);
  }
  // end
}

package consumer;

import io.grpc.stub.StreamObserver;
import io.grpcstream.GrpcPeer;
import io.grpcstream.GrpcStream;
import io.grpcstream.greeter.GreeterGrpc;
import io.grpcstream.greeter.HelloReply;
import io.grpcstream.greeter.HelloRequest;
import java.util.concurrent.TimeUnit;
import org.springframework.boot.Banner;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** A peer that serves as long as the application runs, and one that calls it. */
@SpringBootApplication
public class Application {
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(Application.class);
    application.setBannerMode(Banner.Mode.OFF);
    application.setLogStartupInfo(false);
    application.run(args).close();
  }

  /** Spring closes it. */
  @Bean
  GrpcPeer server() throws Exception {
    GrpcStream services = GrpcStream.create().registerService(new Greeter());
    GrpcPeer server =
        GrpcPeer.builder().listen("/ip4/127.0.0.1/tcp/0").serve(services).build();
    server.start().toCompletableFuture().get();
    return server;
  }

  @Bean
  CommandLineRunner call(GrpcPeer server) {
    return args -> {
      try (GrpcPeer client = GrpcPeer.builder().build()) {
        client.start().toCompletableFuture().get();
        HelloReply reply =
            GreeterGrpc.newBlockingStub(client.channel("libp2p:" + server.addresses().get(0)))
                .withDeadlineAfter(1, TimeUnit.MINUTES)
                .sayHello(HelloRequest.newBuilder().setName("Ada").build());
        if (!reply.getMessage().equals("Hello, Ada")) {
          throw new AssertionError(reply);
        }
      }
    };
  }

  private static final class Greeter extends GreeterGrpc.GreeterImplBase {
    @Override
    public void sayHello(HelloRequest request, StreamObserver<HelloReply> replies) {
      replies.onNext(HelloReply.newBuilder().setMessage("Hello, " + request.getName()).build());
      replies.onCompleted();
    }
  }
}

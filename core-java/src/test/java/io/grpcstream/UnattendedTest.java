package io.grpcstream;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.ManagedChannel;
import io.grpcstream.libp2p.LogLines;
import io.grpcstream.libp2p.PeerId;
import io.grpcstream.libp2p.Stream;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the side is told that has forgotten to serve: its callers see a reset only. */
@Timeout(60)
class UnattendedTest {
  private static final String FORGOTTEN = "nobody has called serve() or accept()";

  private final Wire wire = Wire.local();
  private final LogLines log = new LogLines();

  @AfterEach
  void close() {
    log.close();
    wire.close();
  }

  private Stream open(GrpcStream grpc, PeerId opener) {
    return wire.open(opener, Wire.peer(), Wire.PROTOCOL, grpc.handler());
  }

  @Test
  void streamsThatNobodyAsksForAreSaidOnceLongBeforeTheyAreReset() throws Exception {
    GrpcStream grpc = GrpcStream.builder().addService(Echo.service()).build();
    PeerId opener = Wire.peer();
    ManagedChannel channel = GrpcStream.wrapClient(open(grpc, opener));
    open(grpc, Wire.peer());

    log.await(FORGOTTEN, Wire.PROTOCOL, opener, "2 stream(s)", "reset after 30 s");
    open(grpc, Wire.peer());
    grpc.serve();
    assertThat(Echo.unary(channel, "late but served")).isEqualTo("late but served");
    assertThat(log.lines()).filteredOn(line -> line.contains(FORGOTTEN)).hasSize(1);
    end(grpc);
  }

  @Test
  void aStreamThatIsResetForWantOfAnybodySaysSo() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlogTimeout(Duration.ofMillis(50)).build();
    open(grpc, Wire.peer());

    log.await("was not accepted within 50 ms", FORGOTTEN);
    end(grpc);
  }

  @Test
  void aStreamThatFindsTheBacklogFullForWantOfAnybodySaysSo() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlog(1).build();
    open(grpc, Wire.peer());
    open(grpc, Wire.peer());

    log.await("1 streams wait to be accepted", FORGOTTEN);
    end(grpc);
  }

  @Test
  void nothingIsSaidOfStreamsThatWaitForSomebodySlow() throws Exception {
    GrpcStream grpc = GrpcStream.builder().backlogTimeout(Duration.ofMillis(1_500)).build();
    open(grpc, Wire.peer());
    grpc.accept().toCompletableFuture().get(10, TimeUnit.SECONDS).serve();
    open(grpc, Wire.peer());

    // By then the warning would have come.
    log.await("was not accepted within 1.5 s");
    assertThat(log.lines()).noneMatch(line -> line.contains(FORGOTTEN));
    end(grpc);
  }

  private static void end(GrpcStream grpc) throws Exception {
    grpc.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
  }
}

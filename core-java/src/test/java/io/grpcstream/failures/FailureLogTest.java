package io.grpcstream.failures;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.ServerCall;
import io.grpc.Status;
import io.grpcstream.Echo;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.helpers.MessageFormatter;

class FailureLogTest {
  private final List<String> levels = new ArrayList<>();
  private final List<String> texts = new ArrayList<>();
  private int stacks;
  private final Logger logger =
      (Logger)
          Proxy.newProxyInstance(
              Logger.class.getClassLoader(),
              new Class<?>[] {Logger.class},
              (proxy, method, arguments) -> {
                if (method.getName().equals("isDebugEnabled")) {
                  return false;
                }
                levels.add(method.getName());
                Object[] values =
                    arguments.length > 1 && arguments[1] instanceof Object[] all
                        ? all
                        : new Object[0];
                texts.add(MessageFormatter.basicArrayFormat((String) arguments[0], values));
                stacks += arguments[arguments.length - 1] instanceof Throwable ? 1 : 0;
                return null;
              });
  private long now;
  private final FailureLog log = new FailureLog(logger, () -> now);

  @Test
  @DisplayName("One kind of failure is logged once in a while, and counted in between")
  void oneKindIsLoggedOnceInAWhile() {
    for (int i = 0; i < 1_000; i++) {
      log.failed(new Call("A"), Status.UNKNOWN, lost());
    }
    assertThat(levels).containsExactly("error");

    now += Duration.ofSeconds(FailureLog.WINDOW_SECONDS).toNanos();
    log.failed(new Call("A"), Status.UNKNOWN, lost());
    assertThat(texts).last().asString().contains("999 more");
  }

  @Test
  @DisplayName("The first of each kind is logged, however many there are of another")
  void firstOfEachKindIsLogged() {
    for (int i = 0; i < 1_000; i++) {
      log.failed(new Call("A"), Status.UNKNOWN, lost());
    }
    log.failed(new Call("B"), Status.UNKNOWN, lost());
    log.failed(new Call("A"), Status.UNKNOWN, new IllegalStateException("of another type"));
    log.failed(new Call("A"), Status.ABORTED, new IOException("from another place"));

    assertThat(levels).containsExactly("error", "error", "error", "warn");
  }

  @Test
  @DisplayName("A failure for which somebody has chosen a status is one line without a stack")
  void chosenStatus() {
    log.failedAsChosen(new Call("A"), Status.NOT_FOUND, lost());
    log.failedAsChosen(new Call("A"), Status.NOT_FOUND, lost());
    assertThat(levels).containsExactly("info");
    assertThat(texts.get(0))
        .contains("Echo/A", "failed with NOT_FOUND", "java.io.IOException: lost", "FailureLogTest");
    assertThat(stacks).isZero();
  }

  @Test
  @DisplayName("A choice that says that the service is broken, or made for an Error, is not that")
  void chosenFault() {
    log.failedAsChosen(new Call("A"), Status.INTERNAL, lost());
    log.failedAsChosen(new Call("B"), Status.NOT_FOUND, new StackOverflowError());
    assertThat(levels).containsExactly("error", "warn");
    assertThat(stacks).isEqualTo(2);
  }

  @Test
  void theKindsAreBounded() {
    for (int i = 0; i < 10_000; i++) {
      log.failed(new Call("method-" + i), Status.UNKNOWN, lost());
    }
    assertThat(levels).hasSize(FailureLog.MAX_KINDS + 1);
  }

  private static IOException lost() {
    return new IOException("lost");
  }

  /** A call of one method. */
  private static final class Call extends ServerCall<String, String> {
    private final MethodDescriptor<String, String> method;

    Call(String name) {
      method = Echo.UNARY.toBuilder().setFullMethodName(Echo.NAME + "/" + name).build();
    }

    @Override
    public MethodDescriptor<String, String> getMethodDescriptor() {
      return method;
    }

    @Override
    public void request(int messages) {}

    @Override
    public void sendHeaders(Metadata headers) {}

    @Override
    public void sendMessage(String message) {}

    @Override
    public void close(Status status, Metadata trailers) {}

    @Override
    public boolean isCancelled() {
      return false;
    }
  }
}

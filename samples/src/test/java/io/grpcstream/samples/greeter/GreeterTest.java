package io.grpcstream.samples.greeter;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Runs the sample as its users do: in processes of its own. */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class GreeterTest {
  private static final String PEER_ID = "(12D3KooW\\w{44})";

  @Test
  void twoProcessesMakeAllFourKindsOfCall() throws Exception {
    checkDemo(run(GreeterDemo.class));
  }

  @Test
  void inKotlinTheyMakeTheSameCalls() throws Exception {
    String here = "io.grpcstream.samples.greeter.coroutines.";
    checkDemo(run(GreeterDemo.class, here + "ServerKt", here + "ClientKt"));
  }

  private static void checkDemo(Output demo) {
    String server = demo.find("server \\| serving at /ip4/127\\.0\\.0\\.1/tcp/\\d+/p2p/" + PEER_ID);
    String caller = demo.find("caller \\| calling as " + PEER_ID);
    assertThat(server).isNotEqualTo(caller);

    assertThat(demo.lines("caller").skip(1).map(GreeterTest::withoutTimes))
        .containsExactly(
            "unary             answered by " + server,
            "Hello, Ada!",
            "server streaming  answered by " + server,
            "Hello, Ada!",
            "Bonjour, Ada!",
            "Hej, Ada!",
            "client streaming  answered by " + server,
            "Hello, Ada and Grace and Edsger!",
            "bidirectional     answered by " + server,
            "Hello, Ada!",
            "Hello, Grace!",
            "Hello, Edsger!");
    assertThat(demo.lines("server").skip(1))
        .containsExactly(
            "SayHello        called by " + caller,
            "SayHelloStream  called by " + caller,
            "SayHelloMany    called by " + caller,
            "Chat            called by " + caller);
    assertThat(demo.exitCode).isZero();
  }

  @Test
  void callerThatIsNotToldWhomToCallSaysSo() throws Exception {
    Output client = run(GreeterClient.class);

    assertThat(client.text)
        .containsExactly("Say whom to call: the multiaddr that the server prints.");
    assertThat(client.exitCode).isEqualTo(2);
  }

  private static String withoutTimes(String line) {
    return line.replaceFirst("^ +\\d+\\.\\d\\d ms  ", "");
  }

  private static Output run(Class<?> main, String... args)
      throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dio.netty.leakDetection.level=paranoid"));
    String flags = System.getProperty("jvm.flags", "");
    if (!flags.isBlank()) {
      command.add(flags);
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
    command.addAll(List.of(args));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader lines = process.inputReader()) {
      return new Output(lines.lines().toList(), process.waitFor());
    } finally {
      process.destroyForcibly();
    }
  }

  private record Output(List<String> text, int exitCode) {
    /** What the only group of {@code pattern} matches in the one line that it matches. */
    String find(String pattern) {
      List<String> found =
          text.stream()
              .map(Pattern.compile(pattern)::matcher)
              .filter(Matcher::matches)
              .map(match -> match.group(1))
              .toList();
      assertThat(found).as("\"%s\" in %s", pattern, text).hasSize(1);
      return found.get(0);
    }

    Stream<String> lines(String who) {
      String prefix = who + " | ";
      return text.stream()
          .filter(line -> line.startsWith(prefix))
          .map(line -> line.substring(prefix.length()));
    }
  }
}

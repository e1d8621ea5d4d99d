package io.grpcstream.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A sample that is given a wrong value says which one, and shows no stack. */
class CommandLineTest {
  private static final String EDGE = "io.grpcstream.samples.edge.EdgeKt";
  private static final String SERVER = "io.grpcstream.samples.greeter.GreeterServer";
  private static final String CLIENT = "io.grpcstream.samples.greeter.GreeterClient";
  private static final String KOTLIN = "io.grpcstream.samples.greeter.coroutines.";
  private static final String ANY = "/ip4/127.0.0.1/tcp/0";

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '\'',
      value = {
        EDGE + ",a.key " + ANY + " abc,\"abc\" is no chain id: expected a number",
        EDGE + ",a.key ada 100,cannot listen on \"ada\"",
        EDGE + ",a.key " + ANY + " 100 ada,\"ada\" is no multiaddr",
        EDGE + "," + ANY + ",not [/ip4/127.0.0.1/tcp/0]",
        SERVER + ",ada,cannot listen on \"ada\"",
        CLIENT + ",ada,\"ada\" is no multiaddr",
        KOTLIN + "ServerKt,ada,cannot listen on \"ada\"",
        KOTLIN + "ClientKt,ada,\"ada\" is no multiaddr"
      })
  void aWrongValueIsNamed(String main, String arguments, String expected) throws Exception {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                main));
    command.addAll(List.of(arguments.split(" ")));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      assertThat(output(process)).contains(expected).doesNotContain("\tat ");
      assertThat(process.waitFor()).isEqualTo(2);
    } finally {
      process.destroyForcibly();
    }
  }

  private static String output(Process process) throws IOException {
    return new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }
}

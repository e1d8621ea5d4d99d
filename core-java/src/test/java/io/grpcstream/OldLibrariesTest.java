package io.grpcstream;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * In company: the class path of a user holds a library in another version than we ask for, chosen
 * by a platform's bill of materials or brought by another dependency. Each test runs a JVM with the
 * real old jars, which the build has put into {@code target/old-libraries}.
 */
class OldLibrariesTest {
  private static final Path OLD = Path.of("target", "old-libraries");

  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  @DisplayName("With an older BoringSSL, hosts say it once and connect by Noise")
  void olderBoringSslMeansNoise() throws Exception {
    String output = run("default", "netty-tcnative-classes", "netty-tcnative-boringssl-static");
    assertThat(output).contains("connected by /noise");
    assertThat(output.lines().filter(line -> line.contains("] WARN ")))
        .singleElement()
        .asString()
        .contains("netty-tcnative-boringssl-static is on the class path but does not work")
        .contains("SSL.getGroupName(long)")
        .contains("netty-tcnative-classes-2.0.74.Final.jar")
        .contains("netty-handler-4.2");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  @DisplayName("With an older BoringSSL, hosts that ask for TLS connect by the JDK's")
  void olderBoringSslAndTlsAskedFor() throws Exception {
    assertThat(run("tls", "netty-tcnative-classes", "netty-tcnative-boringssl-static"))
        .contains("connected by /tls/1.0.0")
        .contains("does not work");
  }

  @Test
  @EnabledOnOs(value = OS.LINUX, architectures = "amd64")
  @DisplayName("Who asks for an older BoringSSL is told why there is none")
  void olderBoringSslAskedFor() throws Exception {
    assertThat(run("boringssl", "netty-tcnative-classes", "netty-tcnative-boringssl-static"))
        .contains("failed: tls: BORINGSSL is not available: ")
        .contains("netty-tcnative-classes-2.0.74.Final.jar");
  }

  /** As when one dependency brings the classes and another the native part. */
  @Test
  @DisplayName("With an older half of BoringSSL, hosts say it and connect by Noise")
  void olderHalfOfBoringSsl() throws Exception {
    assertThat(run("default", "netty-tcnative-classes"))
        .contains("connected by /noise")
        .contains("does not work");
  }

  @Test
  @DisplayName(
      "A Netty that is too old is refused: the JAR found, the version needed, the lines to add")
  void nettyThatIsTooOld() throws Exception {
    assertThat(run("default", "netty-common"))
        .contains("failed: a host cannot work with the libraries found: ")
        .contains("netty-common-4.1.130.Final.jar, where 4.2.1.Final or later is needed\n")
        .containsPattern("<artifactId>grpc-stream-bom</artifactId><version>\\d+\\.\\d+\\.\\d+")
        .containsPattern("<netty\\.version>4\\.2\\.\\d+\\.Final</netty\\.version>");
  }

  @Test
  @DisplayName("A gRPC that is too old is refused with the JAR found and the version needed")
  void grpcThatIsTooOld() throws Exception {
    assertThat(run("grpc", "grpc-api"))
        .contains("failed: gRPC over libp2p cannot work with the libraries found: ")
        .contains("grpc-api-1.70.0.jar, where 1.72.0 or later is needed\n")
        .contains("<artifactId>grpc-stream-bom</artifactId>")
        .doesNotContain("netty.version");
  }

  @Test
  void aHostDoesNotMindAnOldGrpc() throws Exception {
    assertThat(run("default", "grpc-api")).contains("connected by /tls/1.0.0");
  }

  /** What {@link WithOldLibraries} prints where these libraries are old. */
  private static String run(String what, String... old) throws Exception {
    List<String> path = new ArrayList<>();
    for (String artifact : old) {
      path.add(jar(artifact).toString());
    }
    Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
        .filter(jar -> Arrays.stream(old).noneMatch(artifact -> isOf(artifact, Path.of(jar))))
        .forEach(path::add);
    Path output = Files.createTempFile("old-libraries", ".txt");
    try {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-XX:TieredStopAtLevel=1",
                  "-cp",
                  String.join(File.pathSeparator, path),
                  WithOldLibraries.class.getName(),
                  what)
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      try {
        assertThat(process.waitFor(2, TimeUnit.MINUTES)).as(Files.readString(output)).isTrue();
      } finally {
        process.destroyForcibly();
      }
      return Files.readString(output, UTF_8);
    } finally {
      Files.delete(output);
    }
  }

  private static Path jar(String artifact) throws IOException {
    try (Stream<Path> jars = Files.list(OLD)) {
      return jars.filter(jar -> isOf(artifact, jar)).findAny().orElseThrow();
    }
  }

  private static boolean isOf(String artifact, Path jar) {
    return String.valueOf(jar.getFileName()).matches(artifact + "-\\d.*\\.jar");
  }
}

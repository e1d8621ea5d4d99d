package io.grpcstream.samples.modular;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.StringWriter;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaFileObject.Kind;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The modules as their users have them: all that this project depends on is on the module path. */
class ModulesTest {
  private static final String SAMPLE = "io.grpcstream.samples.modular";

  private static final Path TESTS = Path.of("target", "test-classes").toAbsolutePath();

  private static final String MODULE_PATH =
      Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
          .filter(entry -> !Path.of(entry).equals(TESTS))
          .collect(Collectors.joining(File.pathSeparator));

  @TempDir Path directory;

  @Test
  @DisplayName("two peers and their calls run from the module path")
  void runs() throws Exception {
    assertThat(run()).isEqualTo("SERVING\nSERVING\n");
  }

  @Test
  @DisplayName("they run beside the Kotlin module, all of whose modules are found")
  void runsBesideKotlin() throws Exception {
    assertThat(run("--add-modules", "io.grpcstream.kotlin")).isEqualTo("SERVING\nSERVING\n");
  }

  @Test
  @DisplayName("and beside that for Kotest")
  void runsBesideKotest() throws Exception {
    assertThat(run("--add-modules", "io.grpcstream.kotest")).isEqualTo("SERVING\nSERVING\n");
  }

  @Test
  @DisplayName("and beside that for OpenTelemetry")
  void runsBesideOpenTelemetry() throws Exception {
    assertThat(run("--add-modules", "io.grpcstream.opentelemetry")).isEqualTo("SERVING\nSERVING\n");
  }

  @Test
  @DisplayName("only the packages of the API are exported, and to all")
  void exportsTheApi() {
    assertThat(exportsOf("io.grpcstream.core"))
        .containsExactlyInAnyOrder(
            "io.grpcstream", "io.grpcstream.libp2p", "io.grpcstream.libp2p.crypto");
    assertThat(exportsOf("io.grpcstream.kotlin")).containsExactly("io.grpcstream.kotlin");
    assertThat(exportsOf("io.grpcstream.kotest")).containsExactly("io.grpcstream.kotest");
    assertThat(exportsOf("io.grpcstream.opentelemetry"))
        .containsExactly("io.grpcstream.opentelemetry");
  }

  @Test
  @DisplayName("a module that uses an internal package does not compile")
  void hidesTheRest() {
    assertThat(compile("io.grpcstream.libp2p.Host")).isEmpty();
    assertThat(compile("io.grpcstream.libp2p.host.DefaultHost"))
        .contains(
            "package io.grpcstream.libp2p.host is declared in module io.grpcstream.core, which does"
                + " not export it");
  }

  /** What the sample prints. */
  private static String run(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    Stream.of(System.getProperty("jvm.flags").split(" "))
        .filter(flag -> !flag.isEmpty())
        .forEach(command::add);
    if (Runtime.version().feature() >= 24) { // Without it the JVM warns, as the README says.
      command.add("--enable-native-access=io.netty.common");
    }
    command.addAll(List.of("--module-path", MODULE_PATH));
    command.addAll(List.of(options));
    command.addAll(List.of("--module", SAMPLE + "/" + SAMPLE + ".Modular"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try {
      String output = new String(process.getInputStream().readAllBytes(), UTF_8);
      assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
      assertThat(process.exitValue()).as(output).isZero();
      return output;
    } finally {
      process.destroyForcibly();
    }
  }

  private static Set<String> exportsOf(String module) {
    Path[] path =
        Stream.of(MODULE_PATH.split(File.pathSeparator)).map(Path::of).toArray(Path[]::new);
    ModuleDescriptor descriptor = ModuleFinder.of(path).find(module).orElseThrow().descriptor();
    return descriptor.exports().stream().map(Object::toString).collect(Collectors.toSet());
  }

  /** What javac says of a module that requires ours and imports {@code type}. */
  private String compile(String type) {
    StringWriter said = new StringWriter();
    String out = directory.toString();
    ToolProvider.getSystemJavaCompiler()
        .getTask(
            said,
            null,
            null,
            List.of("-p", MODULE_PATH, "-cp", out, "-d", out, "-proc:none"),
            null,
            List.of(
                new Source("module-info", "module user { requires io.grpcstream.core; }"),
                new Source("User", "package user; class User { %s field; }".formatted(type))))
        .call();
    return said.toString();
  }

  /** A source file in memory. */
  private static final class Source extends SimpleJavaFileObject {
    private final String text;

    Source(String name, String text) {
      super(URI.create("memory:///" + name + Kind.SOURCE.extension), Kind.SOURCE);
      this.text = text;
    }

    @Override
    public CharSequence getCharContent(boolean ignoreEncodingErrors) {
      return text;
    }
  }
}

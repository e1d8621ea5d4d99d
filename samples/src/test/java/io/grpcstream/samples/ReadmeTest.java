package io.grpcstream.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import org.junit.jupiter.api.Test;

class ReadmeTest {
  private static final Path ROOT = Path.of("..");
  private static final Path README = ROOT.resolve("README.md");
  private static final Path TESTS = Path.of("src", "test");

  @Test
  void javaIsTheExampleThatIsRun() throws IOException {
    Path example = TESTS.resolve("java/io/grpcstream/samples/ReadmeExample.java");
    assertThat(Snippets.blocks(README, "java")).containsExactly(Snippets.region(example, "java"));
  }

  @Test
  void kotlinIsTheExampleThatIsRun() throws IOException {
    Path example = TESTS.resolve("kotlin/io/grpcstream/samples/ReadmeExample.kt");
    assertThat(Snippets.blocks(README, "kotlin"))
        .containsExactly(Snippets.region(example, "kotlin"));
  }

  @Test
  void javaExampleGreetsThePeerThatCalls() throws Exception {
    assertThat(ReadmeExample.greet("Ada")).startsWith("Hello, Ada at 12D3KooW");
  }

  @Test
  void continuousIntegrationRunsTheTestCommand() throws IOException {
    assertThat(Snippets.blocks(README, "sh")).contains("mvn verify\n");
    assertThat(Files.readString(ROOT.resolve(".ci/run"))).contains("mvn verify\n");
  }

  @Test
  void versionForTlsIsTheOneThatIsTested() throws IOException {
    String artifact = "io.netty/netty-tcnative-boringssl-static";
    Properties pom = new Properties();
    try (InputStream in =
        ReadmeTest.class.getResourceAsStream("/META-INF/maven/" + artifact + "/pom.properties")) {
      pom.load(in);
    }
    assertThat(Files.readString(README))
        .contains("`" + artifact.replace('/', ':') + ":" + pom.getProperty("version") + "`");
  }
}

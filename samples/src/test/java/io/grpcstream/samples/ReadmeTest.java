package io.grpcstream.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import org.junit.jupiter.api.DisplayName;
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
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains("`" + artifact.replace('/', ':') + ":" + versionOf(artifact) + "`");
  }

  @Test
  @DisplayName("The Netty for Spring Boot is the one that is tested, here and in the consumer")
  void nettyForSpringBoot() throws IOException {
    String version = versionOf("io.netty/netty-common");
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains("`netty.version` to " + version);
    assertThat(Files.readString(Path.of("consumers", "spring-boot", "property", "pom.xml")))
        .contains("<netty.version>" + version + "</netty.version>");
  }

  @Test
  @DisplayName("The recipe for one JAR of all is the one by which the consumer is built")
  void recipeForOneJar() throws IOException {
    List<String> pom =
        Files.readAllLines(Path.of("consumers", "fat-jar", "pom.xml")).stream()
            .map(String::strip)
            .toList();
    List<String> recipe =
        Snippets.blocks(README, "xml").stream()
            .filter(block -> block.contains("maven.plugins.shade"))
            .flatMap(String::lines)
            .map(String::strip)
            .filter(line -> !line.startsWith("<mainClass>"))
            .toList();
    assertThat(recipe).isNotEmpty();
    assertThat(pom).containsSubsequence(recipe);
  }

  private static String versionOf(String artifact) throws IOException {
    Properties pom = new Properties();
    try (InputStream in =
        ReadmeTest.class.getResourceAsStream("/META-INF/maven/" + artifact + "/pom.properties")) {
      pom.load(in);
    }
    return pom.getProperty("version");
  }
}

package io.grpcstream.samples.guide;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpcstream.samples.Snippets;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;

/** What the guide shows is what is compiled and run here, and its links lead somewhere. */
class GuideTest {
  private static final Path ROOT = Path.of("..");
  private static final Path GUIDE = Path.of("guide");
  private static final Map<String, String> SOURCES =
      Map.of(
          "kotlin", "src/test/kotlin/io/grpcstream/samples/guide",
          "java", "src/test/java/io/grpcstream/samples/guide");
  private static final Set<String> LANGUAGES =
      Set.of("kotlin", "java", "xml", "proto", "sh", "text");
  private static final Pattern LINK =
      Pattern.compile("\\]\\(([^)\\s]+)\\)|(?m)^\\[\\w+\\]: (\\S+)$");
  private static final Pattern PROPERTY = Pattern.compile("<([\\w.-]+\\.version)>([^<]+)</");

  static List<Path> pages() throws IOException {
    return files(GUIDE, ".md");
  }

  private static List<Path> files(Path folder, String end) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(end)).sorted().toList();
    }
  }

  /** The guide's own, and what is tested where a library is that only the core's tests have. */
  private static List<Path> sources(String folder) throws IOException {
    List<Path> sources = new ArrayList<>(files(Path.of(folder), ""));
    if (folder.contains("/java/")) {
      sources.add(ROOT.resolve("core-java/src/test/java/io/grpcstream/JvmLibp2pExample.java"));
    }
    return sources;
  }

  private static String nameOf(Path page) {
    return page.getFileName().toString().replace(".md", "");
  }

  // --- code --------------------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName("A page's blocks in Kotlin and Java are the regions of its sources, and all of them")
  void code(Path page) throws IOException {
    for (Map.Entry<String, String> language : SOURCES.entrySet()) {
      List<String> regions = new ArrayList<>();
      for (Path source : sources(language.getValue())) {
        Snippets.regions(source)
            .forEach(
                (name, region) -> {
                  if (name.startsWith(nameOf(page) + "/")) {
                    regions.add(region);
                  }
                });
      }
      assertThat(Snippets.blocks(page, language.getKey()))
          .as("%s blocks of %s", language.getKey(), page)
          .containsExactlyInAnyOrderElementsOf(regions);
    }
  }

  @Test
  @DisplayName("Each region of a source is meant for a page that is there")
  void regions() throws IOException {
    Set<String> pages = pages().stream().map(GuideTest::nameOf).collect(Collectors.toSet());
    for (String folder : SOURCES.values()) {
      for (Path source : sources(folder)) {
        for (String region : Snippets.regions(source).keySet()) {
          assertThat(pages).as("%s of %s", region, source).contains(region.replaceFirst("/.*", ""));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName("A page has blocks of known kinds alone")
  void languages(Path page) throws IOException {
    List<String> fences =
        Files.readString(page).lines().filter(line -> line.startsWith("```")).toList();
    for (int i = 0; i < fences.size(); i++) {
      String fence = fences.get(i).substring(3);
      if (i % 2 == 0) {
        assertThat(LANGUAGES).contains(fence);
      } else {
        assertThat(fence).isEmpty();
      }
    }
  }

  @Test
  @DisplayName("The guide's .proto file is that of the samples, with one of its methods")
  void proto() throws IOException {
    List<String> ours =
        Files.readAllLines(ROOT.resolve("proto/src/main/protobuf/greeter.proto")).stream()
            .map(String::strip)
            .toList();
    List<String> shown = Snippets.blocks(GUIDE.resolve("getting-started.md"), "proto");
    assertThat(shown).hasSize(1);
    int at = 0;
    for (String line : shown.get(0).lines().map(String::strip).toList()) {
      int found = ours.subList(at, ours.size()).indexOf(line);
      assertThat(found).as("\"%s\" after line %d", line, at).isNotNegative();
      at += found + 1;
    }
  }

  // --- Maven -------------------------------------------------------------------------------------

  @ParameterizedTest
  @MethodSource("pages")
  @DisplayName(
      "The artifacts and versions in a page's XML are those that are built and tested here")
  void artifacts(Path page) throws Exception {
    String root = Files.readString(ROOT.resolve("pom.xml"));
    Map<String, String> properties =
        PROPERTY
            .matcher(root)
            .results()
            .collect(
                Collectors.toMap(
                    found -> found.group(1), found -> found.group(2), (first, other) -> first));
    String known = root.replaceAll("\\s", "");
    for (Map.Entry<String, String> property : properties.entrySet()) {
      known = known.replace("${" + property.getKey() + "}", property.getValue());
    }
    known = known.replace("${project.version}", "0.1.0-SNAPSHOT");
    assertThat(known).contains("<version>0.1.0-SNAPSHOT</version>");
    for (String block : Snippets.blocks(page, "xml")) {
      for (Element artifact : artifactsIn(block)) {
        String group = child(artifact, "groupId");
        String id = child(artifact, "artifactId");
        String version = child(artifact, "version");
        if (group.equals("io.grpcstream")) {
          assertThat(version).as(id).isIn("", "0.1.0-SNAPSHOT");
        } else if (!version.isEmpty() && !version.equals("${kotlin.version}")) { // seen to below
          assertThat(known)
              .as("%s:%s:%s", group, id, version)
              .contains("<artifactId>" + id + "</artifactId><version>" + version + "</version>");
        }
      }
      Pattern.compile("<(kotlin\\.version|protocVersion)>([^<]+)<")
          .matcher(block)
          .results()
          .forEach(
              found -> {
                String name = found.group(1).replace("protocVersion", "protobuf.version");
                assertThat(found.group(2)).as(name).isEqualTo(properties.get(name));
              });
    }
  }

  private static List<Element> artifactsIn(String block) throws Exception {
    Document document =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new InputSource(new StringReader(block)));
    List<Element> artifacts = new ArrayList<>();
    NodeList ids = document.getElementsByTagName("artifactId");
    for (int i = 0; i < ids.getLength(); i++) {
      Element parent = (Element) ids.item(i).getParentNode();
      if (!parent.getTagName().equals("project")) {
        artifacts.add(parent);
      }
    }
    return artifacts;
  }

  private static String child(Element parent, String tag) {
    for (Node node = parent.getFirstChild(); node != null; node = node.getNextSibling()) {
      if (node.getNodeName().equals(tag)) {
        return node.getTextContent().strip();
      }
    }
    return "";
  }

  // --- links -------------------------------------------------------------------------------------

  @Test
  @DisplayName("All links of the guide and of the README to files and headings lead there")
  void links() throws IOException {
    List<Path> all = new ArrayList<>(pages());
    all.add(ROOT.resolve("README.md"));
    for (Path page : all) {
      for (MatchResult link : LINK.matcher(withoutCode(page)).results().toList()) {
        String target = link.group(1) != null ? link.group(1) : link.group(2);
        if (!target.matches("https?://.*")) {
          assertLeadsSomewhere(page, target);
        }
      }
    }
  }

  private static void assertLeadsSomewhere(Path page, String target) throws IOException {
    String[] parts = target.split("#", 2);
    Path file = parts[0].isEmpty() ? page : page.resolveSibling(parts[0]);
    assertThat(file).as("%s in %s", target, page).exists();
    if (parts.length == 2) {
      assertThat(headings(file)).as("%s in %s", target, page).contains(parts[1]);
    }
  }

  /** The anchors that GitHub makes of headings. */
  private static List<String> headings(Path page) throws IOException {
    return withoutCode(page)
        .lines()
        .filter(line -> line.startsWith("#"))
        .map(line -> line.replaceFirst("^#+ ", "").toLowerCase(Locale.ROOT))
        .map(heading -> heading.replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-'))
        .toList();
  }

  private static String withoutCode(Path page) throws IOException {
    return Files.readString(page).replaceAll("(?s)```.*?```", "");
  }

  @Test
  @DisplayName("The index has all pages")
  void index() throws IOException {
    String index = Files.readString(GUIDE.resolve("README.md"));
    for (Path page : pages()) {
      if (!nameOf(page).equals("README")) {
        assertThat(index).contains("](" + page.getFileName() + ")");
      }
    }
  }
}

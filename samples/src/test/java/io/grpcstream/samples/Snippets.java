package io.grpcstream.samples;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The code that pages show, and the regions of sources where the same code is compiled and run. A
 * region begins with a line such as {@code // guide: channels/replicas} and ends with {@code //
 * end}, or with the file; one that begins above the {@code package} line is all of the file but
 * that line.
 */
public final class Snippets {
  private static final Pattern BLOCK = Pattern.compile("```(\\w+)\\n(.*?)```", Pattern.DOTALL);
  private static final Pattern BEGIN = Pattern.compile(" *// (readme|guide): (\\S+)");

  private Snippets() {}

  /** The blocks of {@code page} in {@code language}, as it names it, in their order. */
  public static List<String> blocks(Path page, String language) throws IOException {
    Matcher matcher = BLOCK.matcher(Files.readString(page));
    List<String> blocks = new ArrayList<>();
    while (matcher.find()) {
      if (matcher.group(1).equals(language)) {
        blocks.add(matcher.group(2));
      }
    }
    return blocks;
  }

  /** The regions of {@code source} by their names, in their order, moved to the left margin. */
  public static Map<String, String> regions(Path source) throws IOException {
    Map<String, String> regions = new LinkedHashMap<>();
    List<String> lines = Files.readAllLines(source);
    for (int i = 0; i < lines.size(); i++) {
      Matcher begin = BEGIN.matcher(lines.get(i));
      if (begin.matches()) {
        List<String> rest = lines.subList(i + 1, lines.size());
        if (regions.put(begin.group(2), region(rest, lines.get(i).indexOf("//"))) != null) {
          throw new AssertionError(source + " has two regions " + begin.group(2));
        }
      }
    }
    return regions;
  }

  /** The region {@code name} of {@code source}. */
  public static String region(Path source, String name) throws IOException {
    String region = regions(source).get(name);
    if (region == null) {
      throw new AssertionError("no region \"" + name + "\" in " + source);
    }
    return region;
  }

  private static String region(List<String> lines, int indentation) {
    String margin = " ".repeat(indentation);
    StringBuilder text = new StringBuilder();
    boolean afterPackage = false;
    for (String line : lines) {
      if (line.strip().equals("// end")) {
        break;
      }
      boolean isPackage = line.startsWith("package ");
      if (!isPackage && !(afterPackage && line.isEmpty())) {
        text.append(line.startsWith(margin) ? line.substring(indentation) : line).append('\n');
      }
      afterPackage = isPackage;
    }
    return text.toString().stripTrailing() + "\n";
  }
}

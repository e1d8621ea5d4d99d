package io.grpcstream.samples.interop;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Counts what was run in each cell of the matrix, for a table. Thread-safe. */
final class Results {
  private final Map<String, Map<String, int[]>> rows = new LinkedHashMap<>();
  private final Set<String> columns = new LinkedHashSet<>();

  synchronized void count(Cell cell, boolean passed) {
    String row = cell.dialler() + " dials " + cell.listener();
    columns.add(cell.secured().toString());
    int[] counts =
        rows.computeIfAbsent(row, unknown -> new LinkedHashMap<>())
            .computeIfAbsent(cell.secured().toString(), unknown -> new int[2]);
    counts[0] += passed ? 1 : 0;
    counts[1]++;
  }

  /** In Markdown: the scenarios that passed in each cell, and of how many where some did not. */
  synchronized String table() {
    List<String> lines = new ArrayList<>();
    lines.add("| scenarios passed | " + String.join(" | ", columns) + " |");
    lines.add("|---|" + "---|".repeat(columns.size()));
    rows.forEach(
        (row, counts) -> {
          List<String> cells = new ArrayList<>(List.of(row));
          columns.forEach(column -> cells.add(text(counts.get(column))));
          lines.add("| " + String.join(" | ", cells) + " |");
        });
    lines.add("");
    int[] sum = new int[2];
    rows.values().stream()
        .flatMap(counts -> counts.values().stream())
        .forEach(
            counts -> {
              sum[0] += counts[0];
              sum[1] += counts[1];
            });
    lines.add("%d of %d passed.".formatted(sum[0], sum[1]));
    return String.join("\n", lines) + "\n";
  }

  private static String text(int[] counts) {
    if (counts == null) {
      return "not run";
    }
    return counts[0] == counts[1] ? "" + counts[0] : counts[0] + " of " + counts[1];
  }

  /** Prints the table, and writes it to a file. */
  void publish(Path file) throws IOException {
    String table = table();
    System.out.println(table);
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(file, table);
  }
}

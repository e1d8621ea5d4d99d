package io.grpcstream;

import io.grpcstream.libp2p.LogLines;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.logging.Handler;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/**
 * All that an operator would find in the log while it was open: what we and Netty log by SLF4J,
 * warnings and worse, and of Netty's HTTP/2 also information; and what gRPC logs by
 * java.util.logging, at the levels that it has by default.
 */
final class Logged implements AutoCloseable {
  private static final Logger ROOT = Logger.getLogger("");

  private final LogLines slf4j = new LogLines();
  private final Queue<String> records = new ConcurrentLinkedQueue<>();
  private final Handler handler =
      new Handler() {
        @Override
        public void publish(LogRecord record) {
          StringWriter stack = new StringWriter();
          if (record.getThrown() != null) {
            record.getThrown().printStackTrace(new PrintWriter(stack));
          }
          String logger = record.getLoggerName();
          records.add(logger + ": " + record.getLevel() + " " + record.getMessage());
          stack.toString().lines().forEach(records::add);
        }

        @Override
        public void flush() {}

        @Override
        public void close() {}
      };

  Logged() {
    ROOT.addHandler(handler);
  }

  /** Lines of SLF4J. */
  List<String> lines() {
    return slf4j.lines();
  }

  /** Lines of java.util.logging. */
  List<String> grpcLines() {
    return new ArrayList<>(records);
  }

  /** Lines of both. */
  List<String> allLines() {
    List<String> all = grpcLines();
    all.addAll(lines());
    return all;
  }

  /** How many lines contain {@code part}. */
  long count(String part) {
    return allLines().stream().filter(line -> line.contains(part)).count();
  }

  /** The lines that belong to stack traces. */
  List<String> stackLines() {
    return allLines().stream().filter(line -> line.startsWith("\tat ")).toList();
  }

  /** Waits for a line of SLF4J that contains all of {@code parts}. */
  void await(Object... parts) {
    slf4j.await(parts);
  }

  @Override
  public void close() {
    ROOT.removeHandler(handler);
    slf4j.close();
  }
}

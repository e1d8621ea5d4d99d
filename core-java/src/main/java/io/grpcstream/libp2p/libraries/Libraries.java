package io.grpcstream.libp2p.libraries;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The versions of other libraries that are there, whoever chose them: a platform's bill of
 * materials, or a dependency's dependency. Thread-safe.
 *
 * <p>What is so old that nothing works is refused, in words, before it fails in the middle of
 * something. What is merely older than it should be is said once, in one line, and used. All else
 * shows when it is used: {@link #describe} puts such a failure into words.
 */
public final class Libraries {
  private static final Logger log = LoggerFactory.getLogger(Libraries.class);

  /** A name with at least two dots or slashes, the last part of which may be a method. */
  private static final Pattern CLASS =
      Pattern.compile("[a-z]\\w*(?:[./][a-z]\\w*)+[./][A-Z][\\w$]*");

  /** What was found when it was first asked for; that does not change while the process runs. */
  private static final class Found {
    static final Set<Library> TOO_OLD = all(l -> l.isTooOld() && !l.isOfGrpc());
    static final Set<Library> TOO_OLD_FOR_GRPC = all(Library::isTooOld);

    static {
      String old = describe(all(Library::isOld));
      if (!old.isEmpty()) {
        log.warn("older libraries than there should be: {}", old);
      }
    }
  }

  private Libraries() {}

  /**
   * Looks, once, at what is there.
   *
   * @throws IllegalStateException if a library is so old that no host would work, with the names of
   *     the jars found, the versions needed, and what to write into a {@code pom.xml}
   */
  public static void checkForHost() {
    require("a host", Found.TOO_OLD);
  }

  /** The same for gRPC over streams. */
  public static void checkForGrpc() {
    require("gRPC over libp2p", Found.TOO_OLD_FOR_GRPC);
  }

  private static void require(String what, Set<Library> tooOld) {
    if (!tooOld.isEmpty()) {
      throw new IllegalStateException(
          what + " cannot work with the libraries found: " + describe(tooOld) + Remedy.of(tooOld));
    }
  }

  /** The failure to link in {@code failure} or among its causes; null if there is none. */
  public static @Nullable LinkageError linkageError(@Nullable Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      if (t instanceof LinkageError error) {
        return error;
      }
    }
    return null;
  }

  /**
   * What is missing, from which jar, and which other jars are not of the version that they should
   * have.
   */
  public static String describe(LinkageError error) {
    String message = error.getMessage();
    String missing =
        error.getClass().getSimpleName()
            + " "
            + (message != null ? message : String.valueOf(error.getCause()));
    Set<Library> libraries = all(Library::isOld);
    String found = "";
    String type = message == null ? null : type(message);
    Library library = type == null ? null : Library.of(type);
    if (library != null) {
      libraries.add(library);
    } else if (type != null && !type.startsWith("java.")) {
      found = Library.where(type) + "; ";
    }
    found += describe(libraries);
    return "a library of another version than is needed: "
        + missing
        + (found.isEmpty() ? "" : " (found " + found + ")");
  }

  /** The first class that a message names, save those of the JDK that stand before it. */
  private static @Nullable String type(String message) {
    String first = null;
    Matcher names = CLASS.matcher(message);
    while (names.find()) {
      String name = names.group().replace('/', '.');
      if (Library.of(name) != null) {
        return name;
      }
      if (first == null) {
        first = name;
      }
    }
    return first;
  }

  private static Set<Library> all(Predicate<Library> which) {
    Set<Library> libraries = EnumSet.noneOf(Library.class);
    Arrays.stream(Library.values()).filter(which).forEach(libraries::add);
    return libraries;
  }

  /** The jars there are, by what there should be instead. */
  private static String describe(Set<Library> libraries) {
    Map<String, Set<String>> jars = new LinkedHashMap<>();
    for (Library library : libraries) {
      jars.computeIfAbsent(library.wanted(), w -> new LinkedHashSet<>()).add(library.jar());
    }
    return jars.entrySet().stream()
        .map(entry -> String.join(", ", entry.getValue()) + ", where " + entry.getKey())
        .collect(Collectors.joining("; "));
  }
}

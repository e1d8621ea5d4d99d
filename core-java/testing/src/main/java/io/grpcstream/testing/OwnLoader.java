package io.grpcstream.testing;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * Classes loaded once more, with statics of their own: as in a process that uses gRPC for nothing
 * else, or in one where each application brings its own copy of a library.
 */
public final class OwnLoader implements AutoCloseable {
  private final URLClassLoader loader;

  private OwnLoader(ClassLoader parent, Predicate<String> own) {
    List<URL> path = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      try {
        path.add(new File(entry).toURI().toURL());
      } catch (MalformedURLException e) {
        throw new IllegalArgumentException("no class path entry: " + entry, e);
      }
    }
    loader =
        new URLClassLoader(path.toArray(URL[]::new), parent) {
          @Override
          protected Class<?> loadClass(String name, boolean resolve) throws ClassNotFoundException {
            synchronized (getClassLoadingLock(name)) {
              Class<?> loaded = findLoadedClass(name);
              if (loaded == null && own.test(name)) {
                loaded = findClass(name);
              }
              return loaded == null ? super.loadClass(name, resolve) : loaded;
            }
          }
        };
  }

  /** All but the JDK is loaded anew. */
  public static OwnLoader ofAll() {
    return new OwnLoader(ClassLoader.getPlatformClassLoader(), name -> false);
  }

  /** Only our own classes, and those of their tests, are loaded anew. */
  public static OwnLoader ofOurs() {
    return new OwnLoader(
        OwnLoader.class.getClassLoader(), name -> name.startsWith("io.grpcstream."));
  }

  /** The copy here of {@code type}, made by its constructor without parameters. */
  @SuppressWarnings("unchecked")
  public Function<String, String> make(Class<? extends Function<String, String>> type)
      throws ReflectiveOperationException {
    return (Function<String, String>)
        Class.forName(type.getName(), true, loader)
            .asSubclass(Function.class)
            .getDeclaredConstructor()
            .newInstance();
  }

  /** Runs the copy here of {@code type} on this thread. */
  public String run(Class<? extends Function<String, String>> type, String input)
      throws ReflectiveOperationException {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    thread.setContextClassLoader(loader);
    try {
      return make(type).apply(input);
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Override
  public void close() throws IOException {
    loader.close();
  }
}

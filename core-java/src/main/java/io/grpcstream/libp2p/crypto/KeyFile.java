package io.grpcstream.libp2p.crypto;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;
import java.util.UUID;
import java.util.function.Supplier;

/**
 * Identity keys on disk. A new key is written in full under another name and then given its own
 * with a hard link, which fails if that name is taken: nobody sees half a key, and of two who race
 * one wins. File systems without hard links get the file created under its own name: still only one
 * wins, but who looks before it is written finds no valid key and must try again.
 */
final class KeyFile {
  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.OWNER_EXECUTE);

  private KeyFile() {}

  static PrivateKey load(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new FileSystemException(file.toString(), null, "is a directory, expected a key file");
    }
    checkPermissions(file);
    byte[] content;
    try (InputStream in = Files.newInputStream(file)) {
      content = in.readNBytes(KeyProto.MAX_PRIVATE_BYTES + 1);
    } catch (FileSystemException e) {
      throw e; // names the file
    } catch (IOException e) {
      throw new IOException("cannot read key file " + file + ": " + e.getMessage(), e);
    }
    try {
      return PrivateKey.unmarshal(content);
    } catch (KeyFormatException e) {
      throw new IOException("key file " + file + " holds no valid key: " + e.getMessage(), e);
    }
  }

  private static void checkPermissions(Path file) throws IOException {
    if (!isPosix(file)) {
      return;
    }
    Set<PosixFilePermission> granted = Files.getPosixFilePermissions(file);
    if (!OWNER_ONLY.containsAll(granted)) {
      throw new FileSystemException(
          file.toString(),
          null,
          "a key file must be its owner's alone, but has permissions "
              + PosixFilePermissions.toString(granted)
              + "; chmod 600 it, and replace the key if others may have read it");
    }
  }

  static PrivateKey loadOrCreate(Path file, Supplier<PrivateKey> generator) throws IOException {
    try {
      return load(file);
    } catch (NoSuchFileException e) {
      return create(file, generator.get());
    }
  }

  /** Writes {@code key}, or loads the key of whoever was faster. */
  private static PrivateKey create(Path file, PrivateKey key) throws IOException {
    Path target = file.toAbsolutePath();
    Path directory = target.getParent();
    if (directory == null) {
      throw new FileSystemException(file.toString(), null, "names no file");
    }
    if (!Files.isDirectory(directory)) {
      Files.createDirectories(directory, attributes(target, "rwx------"));
    }
    Path draft = directory.resolve("." + target.getFileName() + "." + UUID.randomUUID());
    try {
      write(draft, key.marshal());
      publish(draft, target, key);
      return key;
    } catch (FileAlreadyExistsException e) {
      return load(file);
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  private static void publish(Path draft, Path target, PrivateKey key) throws IOException {
    try {
      Files.createLink(target, draft);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (UnsupportedOperationException | FileSystemException e) {
      try {
        write(target, key.marshal());
      } catch (IOException second) {
        second.addSuppressed(e);
        throw second;
      }
    }
  }

  private static void write(Path file, byte[] content) throws IOException {
    Set<StandardOpenOption> options =
        EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try (FileChannel channel = FileChannel.open(file, options, attributes(file, "rw-------"))) {
      try {
        writeFully(channel, content);
      } catch (IOException e) {
        Files.deleteIfExists(file); // ours, and incomplete: the disk is full, perhaps
        throw new IOException("cannot write key file " + file + ": " + e.getMessage(), e);
      }
    }
  }

  private static void writeFully(FileChannel channel, byte[] content) throws IOException {
    ByteBuffer left = ByteBuffer.wrap(content);
    while (left.hasRemaining()) {
      channel.write(left);
    }
    channel.force(true);
  }

  private static FileAttribute<?>[] attributes(Path file, String permissions) {
    return isPosix(file)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(permissions))
        }
        : new FileAttribute<?>[0];
  }

  private static boolean isPosix(Path file) {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix");
  }
}

package io.grpcstream.libp2p.security.noise;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The {@code NoiseHandshakePayload} protobuf of noise/README.md.
 *
 * @param identityKey the sender's public identity key in its protobuf form
 * @param identitySignature its signature over the sender's static Noise key
 * @param streamMuxers the muxers in {@code NoiseExtensions}, in order of preference; empty if the
 *     sender does not agree on a muxer inside the handshake
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record NoisePayload(byte[] identityKey, byte[] identitySignature, List<String> streamMuxers) {
  /** More muxers than exist; a longer list is refused. */
  static final int MAX_MUXERS = 32;

  private static final int IDENTITY_KEY = 1;
  private static final int IDENTITY_SIG = 2;
  private static final int EXTENSIONS = 4;
  private static final int STREAM_MUXERS = 2;

  byte[] encode() {
    try {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      CodedOutputStream out = CodedOutputStream.newInstance(bytes);
      out.writeByteArray(IDENTITY_KEY, identityKey);
      out.writeByteArray(IDENTITY_SIG, identitySignature);
      if (!streamMuxers.isEmpty()) {
        out.writeByteArray(EXTENSIONS, extensions());
      }
      out.flush();
      return bytes.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // an array does not fail
    }
  }

  private byte[] extensions() throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    for (String muxer : streamMuxers) {
      out.writeString(STREAM_MUXERS, muxer);
    }
    out.flush();
    return bytes.toByteArray();
  }

  /** Reads a payload. The caller bounds {@code bytes}; unknown fields are ignored. */
  static NoisePayload decode(byte[] bytes) throws NoiseException {
    byte @Nullable [] key = null;
    byte @Nullable [] signature = null;
    List<String> muxers = new ArrayList<>();
    try {
      CodedInputStream in = CodedInputStream.newInstance(bytes);
      for (int tag; (tag = in.readTag()) != 0; ) {
        if (tag == tag(IDENTITY_KEY)) {
          key = in.readByteArray();
        } else if (tag == tag(IDENTITY_SIG)) {
          signature = in.readByteArray();
        } else if (tag == tag(EXTENSIONS)) {
          int outer = in.pushLimit(in.readRawVarint32());
          readExtensions(in, muxers);
          in.popLimit(outer);
        } else {
          in.skipField(tag);
        }
      }
    } catch (NoiseException e) {
      throw e;
    } catch (IOException e) {
      throw new NoiseException("the handshake payload is malformed: " + e.getMessage(), e);
    }
    if (key == null || signature == null) {
      throw new NoiseException(
          "the handshake payload has no " + (key == null ? "identity_key" : "identity_sig"));
    }
    return new NoisePayload(key, signature, List.copyOf(muxers));
  }

  private static void readExtensions(CodedInputStream in, List<String> muxers) throws IOException {
    for (int tag; (tag = in.readTag()) != 0; ) {
      if (tag != tag(STREAM_MUXERS)) {
        in.skipField(tag);
      } else if (muxers.size() == MAX_MUXERS) {
        throw new NoiseException(
            "the handshake payload lists more than %d stream muxers".formatted(MAX_MUXERS));
      } else {
        muxers.add(in.readString());
      }
    }
  }

  private static int tag(int field) {
    return field << 3 | WireFormat.WIRETYPE_LENGTH_DELIMITED;
  }
}

package io.grpcstream.libp2p.security.noise;

import java.security.Provider;
import org.conscrypt.Conscrypt;

/** The same with a native cipher, on memory outside the heap. */
class NativeNoiseCodecTest extends NoiseCodecTest {
  @Override
  Provider cipherProvider() {
    return Conscrypt.newProvider();
  }
}

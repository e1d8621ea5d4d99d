/**
 * The Noise secure channel of libp2p, {@code Noise_XX_25519_ChaChaPoly_SHA256} (noise/README.md).
 * {@link NoiseHandshake} is the Noise framework's state machine, without I/O; the handlers put it
 * into a Netty pipeline. Internal.
 */
@NullMarked
package io.grpcstream.libp2p.security.noise;

import org.jspecify.annotations.NullMarked;

package io.grpcstream.libp2p.multistream;

import static io.grpcstream.libp2p.multistream.MultistreamFixture.HEADER;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.assertSent;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.bytes;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.messages;
import static io.grpcstream.libp2p.multistream.MultistreamFixture.received;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.grpcstream.libp2p.multistream.MultistreamFixture.Counter;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class MultistreamInitiatorTest {
  private final Counter counter = new Counter();

  private EmbeddedChannel channel(MultistreamInitiator initiator) {
    EmbeddedChannel channel = new EmbeddedChannel(counter);
    channel.freezeTime(); // It passes when a test says so.
    channel.pipeline().addLast(initiator);
    return channel;
  }

  @Test
  @DisplayName("The header and the first proposal travel in one write and one flush")
  void firstProposalTravelsWithTheHeader() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a", "/b"));
    EmbeddedChannel channel = channel(initiator);

    assertSent(channel, HEADER, "/a");
    assertThat(counter.flushes).isEqualTo(1);
    assertThat(initiator.agreed().isDone()).isFalse();
    channel.finishAndReleaseAll();
  }

  @Test
  void echoIsAgreementAndTheHandlerLeaves() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a"));
    EmbeddedChannel channel = channel(initiator);
    assertSent(channel, HEADER, "/a");

    channel.writeInbound(messages(HEADER, "/a"));

    assertThat(initiator.agreed().getNow()).isEqualTo("/a");
    assertThat(channel.pipeline().get(MultistreamInitiator.class)).isNull();
    assertThat(channel.finish()).isFalse();
  }

  @Test
  void refusedProposalIsFollowedByTheNext() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a", "/b", "/c"));
    EmbeddedChannel channel = channel(initiator);
    assertSent(channel, HEADER, "/a");

    channel.writeInbound(messages(HEADER, "na"));
    assertSent(channel, "/b");
    channel.writeInbound(messages("na"));
    assertSent(channel, "/c");
    channel.writeInbound(messages("/c"));

    assertThat(initiator.agreed().getNow()).isEqualTo("/c");
    channel.finishAndReleaseAll();
  }

  @Test
  void failsWithTheProtocolsTriedWhenAllAreRefused() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a", "/b"));
    EmbeddedChannel channel = channel(initiator);

    channel.writeInbound(messages(HEADER, "na", "na"));

    assertThat(initiator.agreed().cause())
        .isInstanceOfSatisfying(
            NoCommonProtocolException.class,
            e -> assertThat(e.protocols()).containsExactly("/a", "/b"))
        .hasMessageContaining("/a, /b");
    channel.finishAndReleaseAll();
  }

  @Test
  void agreesWhenFedByteByByteAndKeepsWhatFollows() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a", "/b"));
    EmbeddedChannel channel = channel(initiator);

    String wire = messages(HEADER, "na", "/b").toString(StandardCharsets.UTF_8);
    for (char c : (wire + "SETTINGS").toCharArray()) {
      channel.writeInbound(bytes(String.valueOf(c)));
    }

    assertThat(initiator.agreed().getNow()).isEqualTo("/b");
    assertThat(received(channel)).isEqualTo("SETTINGS");
    channel.finishAndReleaseAll();
  }

  @Test
  void longProtocolIdsTakeATwoByteLength() {
    String longest = "/" + "x".repeat(1022);
    MultistreamInitiator initiator = new MultistreamInitiator(List.of(longest));
    EmbeddedChannel channel = channel(initiator);
    assertSent(channel, HEADER, longest);

    channel.writeInbound(messages(HEADER, longest));

    assertThat(initiator.agreed().getNow()).isEqualTo(longest);
    channel.finishAndReleaseAll();
  }

  @Test
  void anAnswerThatWasNotAskedForFails() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a"));
    EmbeddedChannel channel = channel(initiator);

    channel.writeInbound(messages(HEADER, "/other\u0007"));

    assertThat(initiator.agreed().cause())
        .isInstanceOf(MultistreamException.class)
        .hasMessageContaining("expected /a or na, got \"/other\\u0007\"");
    channel.finishAndReleaseAll();
  }

  @Test
  void silenceEndsAtTheDeadline() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a"), Duration.ofSeconds(3));
    EmbeddedChannel channel = channel(initiator);
    channel.writeInbound(messages(HEADER));

    channel.advanceTimeBy(2_999, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();
    assertThat(initiator.agreed().isDone()).isFalse();
    channel.advanceTimeBy(1, TimeUnit.MILLISECONDS);
    channel.runScheduledPendingTasks();

    assertThat(initiator.agreed().cause())
        .isInstanceOf(MultistreamException.class)
        .hasMessageContaining("no agreement within 3 s, nothing received");
    channel.finishAndReleaseAll();
  }

  @Test
  void noDeadlineRemainsAfterAgreement() {
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a"));
    EmbeddedChannel channel = channel(initiator);

    channel.writeInbound(messages(HEADER, "/a"));

    assertThat(channel.runScheduledPendingTasks()).isEqualTo(-1);
    channel.finishAndReleaseAll();
  }

  @Test
  @DisplayName("A channel that is not active yet is waited for, and asked once")
  void channelThatIsNotActiveYet() {
    AtomicBoolean active = new AtomicBoolean();
    MultistreamInitiator initiator = new MultistreamInitiator(List.of("/a"));
    EmbeddedChannel channel =
        new EmbeddedChannel() {
          @Override
          public boolean isActive() {
            return active.get();
          }
        };
    channel.pipeline().addLast(initiator);
    assertThat(channel.<Object>readOutbound()).isNull();

    active.set(true);
    channel.pipeline().fireChannelActive();
    assertSent(channel, HEADER, "/a");
    channel.pipeline().fireChannelActive();
    assertThat(channel.<Object>readOutbound()).isNull();
    channel.finishAndReleaseAll();
  }

  @Test
  void protocolsThatCannotTravelAreRefusedAtOnce() {
    assertThatIllegalArgumentException().isThrownBy(() -> new MultistreamInitiator(List.of()));
    for (String bad : List.of("", "na", "/a\n", "/" + "x".repeat(1023))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new MultistreamInitiator(List.of("/a", bad)));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new MultistreamInitiator(List.of("/a"), Duration.ZERO));
  }
}

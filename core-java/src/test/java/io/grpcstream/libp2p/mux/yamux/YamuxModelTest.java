package io.grpcstream.libp2p.mux.yamux;

import io.grpcstream.libp2p.mux.yamux.ModelStep.Act;
import io.grpcstream.libp2p.mux.yamux.ModelStep.Who;
import java.time.Duration;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Label;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;

/**
 * Random sequences of what users, networks and clocks do to two sessions. A failure is reported
 * with the shortest sequence that shows it and with its seed; other inputs each time, and as many
 * as {@code jqwik.tries.default} says.
 */
class YamuxModelTest {
  private static final int STEPS = 60;

  @Property(edgeCases = EdgeCasesMode.NONE)
  @Label(
      "Whatever happens in whatever order, a stream's bytes arrive whole and in order, or it fails")
  void streamsKeepTheirWord(@ForAll("sequences") List<ModelStep> steps, @ForAll boolean measured) {
    ModelConnection connection = new ModelConnection();
    if (measured) {
      connection.measure(Duration.ofMillis(50));
    }
    steps.forEach(connection::run);
    connection.finish();
  }

  @Provide
  Arbitrary<List<ModelStep>> sequences() {
    Arbitrary<Who> who = Arbitraries.of(Who.class);
    Arbitrary<Integer> end = Arbitraries.integers().between(0, 5);
    Arbitrary<Boolean> yes = Arbitraries.of(true, false);
    return Arbitraries.frequencyOf(
            Tuple.of(30, who.map(ModelStep.Open::new)),
            Tuple.of(200, Combinators.combine(end, acts()).as(ModelStep.Do::new)),
            Tuple.of(30, Combinators.combine(end, acts()).as(ModelStep.DoWhenRead::new)),
            Tuple.of(80, who.map(ModelStep.EndTurn::new)),
            Tuple.of(140, Combinators.combine(who, bytes()).as(ModelStep.Carry::new)),
            Tuple.of(60, Arbitraries.create(ModelStep.Exchange::new)),
            Tuple.of(20, Combinators.combine(who, yes).as(ModelStep.Congest::new)),
            Tuple.of(10, Arbitraries.integers().between(0, 15_000).map(ModelStep.Pass::new)),
            Tuple.of(30, Arbitraries.integers().between(0, 100).map(ModelStep.Pass::new)),
            // In one sequence of three.
            Tuple.of(3, who.map(ModelStep.GoAway::new)),
            Tuple.of(3, who.map(ModelStep.EndSession::new)))
        .map(ModelStep.class::cast)
        .list()
        .ofMaxSize(STEPS);
  }

  private static Arbitrary<Act> acts() {
    return Arbitraries.frequencyOf(
        Tuple.of(30, bytes().map(ModelStep.Write::new)),
        Tuple.of(20, Arbitraries.create(ModelStep.Flush::new)),
        Tuple.of(6, Arbitraries.create(ModelStep.Read::new)),
        Tuple.of(10, Arbitraries.of(true, false).map(ModelStep.AutoRead::new)),
        Tuple.of(6, Arbitraries.create(ModelStep.ShutdownOutput::new)),
        Tuple.of(1, Arbitraries.create(ModelStep.ExpectEnd::new)),
        Tuple.of(2, Arbitraries.create(ModelStep.Close::new)),
        Tuple.of(2, Arbitraries.create(ModelStep.Reset::new)));
  }

  /** Some cut a header, some are more than a window. */
  private static Arbitrary<Integer> bytes() {
    return Arbitraries.frequencyOf(
        Tuple.of(2, Arbitraries.integers().between(0, 40)),
        Tuple.of(2, Arbitraries.integers().between(0, 20_000)),
        Tuple.of(2, Arbitraries.integers().between(0, 2 * YamuxConfig.INITIAL_WINDOW)));
  }
}

package gunyah.scenario;

import gunyah.report.Report;

/**
 * One load scenario: a class with a public constructor without arguments, named in {@code
 * META-INF/services/gunyah.scenario.Scenario}. Its fields with picocli's {@code Option} become the options of {@code
 * gunyah load NAME}.
 */
public interface Scenario {
    /** {@return the name on the command line} */
    String name();

    /** {@return what it does, one sentence for people} */
    String description();

    /**
     * Runs it in real time. Blocks until it is over.
     *
     * @throws gunyah.config.BadInput when an option makes no sense
     */
    Report run();
}

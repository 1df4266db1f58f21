package gunyah.arm64;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.arm64.interp.LockStep;
import gunyah.arm64.interp.RandomTiers;
import gunyah.arm64.translate.RegionGates;
import gunyah.arm64.translate.Translator;

/**
 * How a test's code is executed. {@code -Dtier.seed=S} chooses how tiers take turns, {@code -Dtier.lock-step-every=1}
 * compares every execution of a region.
 */
public enum Tier {
    INTERPRETED,
    /** Whatever is jumped to twice is translated at once. */
    TRANSLATED,
    /** As {@link #TRANSLATED}, but the tiers take turns at random. */
    RANDOM,
    /** As {@link #TRANSLATED}, and executions of regions are compared with the interpreter's. */
    LOCK_STEP;

    private static final long SEED = Long.getLong("tier.seed", 20_261_130);

    private static final int LOCK_STEP_EVERY = Integer.getInteger("tier.lock-step-every", 1_000);

    /** {@return a translator for one domain, null for none} */
    public Translator translator() {
        return switch (this) {
            case INTERPRETED -> null;
            case TRANSLATED -> translator(RegionGates.OPEN);
            case RANDOM -> translator(new RandomTiers(SEED));
            case LOCK_STEP -> translator(new LockStep(LOCK_STEP_EVERY));
        };
    }

    private static Translator translator(RegionGates gates) {
        return new Translator(Translator.Policy.EVERYTHING, null, gates);
    }

    /** Fails when the code ran in another way than that. */
    public void check(Translator translator) {
        agrees(translator);
        if (this != INTERPRETED) {
            assertThat(translator.statistics().regions()).as("regions").isPositive();
        }
        if (this == LOCK_STEP) {
            assertThat(((LockStep) translator.gates()).statistics().instructions()).as("compared").isPositive();
        }
    }

    /** Fails when a region did not load, or did something else than the interpreter. */
    public void agrees(Translator translator) {
        if (this != INTERPRETED) {
            assertThat(translator.statistics().failures()).as("regions that do not load").isZero();
        }
        if (this == LOCK_STEP) {
            assertThat(((LockStep) translator.gates()).differences()).isEmpty();
        }
    }
}

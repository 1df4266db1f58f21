package gunyah.arm64.interp;

import gunyah.arm64.Cpu;
import gunyah.arm64.translate.RegionGate;
import gunyah.arm64.translate.RegionGates;
import java.util.SplittableRandom;

/**
 * Switches between the tiers at random, where regions are entered: the code is interpreted although there is a region,
 * or the region is left soon. So both tiers take over from each other in states that neither brings about alone.
 */
public final class RandomTiers implements RegionGates {
    private static final int SOON = 100;

    private final long seed;

    /** @param seed decides, together with the CPU's affinity */
    public RandomTiers(long seed) {
        this.seed = seed;
    }

    @Override
    public RegionGate of(Cpu cpu) {
        SplittableRandom random = new SplittableRandom(seed ^ cpu.config.mpidr() << 32);
        return (region, end) -> switch (random.nextInt(4)) {
            case 0 -> 0;
            case 1 -> end;
            default -> Math.min(end, cpu.s.retired + region.stride() + random.nextInt(1, SOON));
        };
    }
}

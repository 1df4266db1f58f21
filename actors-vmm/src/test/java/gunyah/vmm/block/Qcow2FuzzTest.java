package gunyah.vmm.block;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Images with any bytes in their header and tables give wrong data or an error of the disk, nothing else; and they take no
 * more memory and no more operations of the file than a sound one could. The long run has {@code gunyah.mutants=200000}.
 */
class Qcow2FuzzTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125);
    private static final int MUTANTS = Integer.getInteger("gunyah.mutants", 4_000);
    private static final int SIZE = 256 << 10;
    private static final int STEPS = 20;
    private static final int PIECE = 4096;
    private static final int MAX_OPERATIONS = 5_000;
    private static final long MAX_ALLOCATED = 48L << 20;

    private int attempts;
    private int failures;

    @Test
    void damagedImagesFailByAnErrorOfTheDisk() throws IOException {
        System.out.printf("qcow2 images: seed %d, %d mutants%n", SEED, MUTANTS);
        Random random = new Random(SEED);
        MemoryChannel sound = new MemoryChannel(EmptyQcow2.of(SIZE));
        use(sound, random, 60);
        byte[] image = sound.content();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        int opened = 0;
        for (int i = 0; i < MUTANTS; i++) {
            MemoryChannel mutant = new MemoryChannel(mutant(image, random));
            long allocated = threads.getCurrentThreadAllocatedBytes();
            opened += use(mutant, random, STEPS) ? 1 : 0;
            assertThat(threads.getCurrentThreadAllocatedBytes() - allocated).as("bytes allocated for mutant %d", i)
                    .isLessThan(MAX_ALLOCATED);
            assertThat(mutant.operations()).as("operations of mutant %d", i).isLessThan(MAX_OPERATIONS);
        }
        assertThat(opened).as("images that could be opened").isBetween(MUTANTS / 10, MUTANTS - 1);
        assertThat(failures).as("of %d requests", attempts).isBetween(1, attempts - 1);
    }

    private static byte[] mutant(byte[] image, Random random) {
        byte[] bytes = image.clone();
        for (int flips = 1 + random.nextInt(12); flips > 0; flips--) {
            int where = switch (random.nextInt(8)) {
                case 0 -> random.nextInt(112);
                case 1, 2 -> 512 + random.nextInt(3 * 512);
                default -> random.nextInt(bytes.length);
            };
            bytes[where] = (byte) (random.nextInt(4) == 0 ? 0xff : random.nextInt());
        }
        return random.nextInt(10) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    /** {@return whether it could be opened} */
    private boolean use(MemoryChannel file, Random random, int steps) {
        try {
            Qcow2Image image = new Qcow2Image(file, FileHoles.NONE, Qcow2Header.read(file), Optional.empty(), false);
            byte[] buffer = new byte[PIECE];
            int limit = (int) Math.min(image.size(), SIZE) / DiskImage.SECTOR - PIECE / DiskImage.SECTOR;
            for (int step = 0; step < steps && limit > 0; step++) {
                attempt(image, random.nextInt(5), random.nextInt(limit) * (long) DiskImage.SECTOR, buffer);
            }
            image.close();
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private void attempt(Qcow2Image image, int what, long position, byte[] buffer) {
        attempts++;
        try {
            switch (what) {
                case 0, 1 -> image.write(position, buffer, 0, PIECE);
                case 2 -> image.discard(position, PIECE);
                case 3 -> image.flush();
                default -> image.read(position, buffer, 0, PIECE);
            }
        } catch (IOException e) {
            failures++;
        }
    }
}

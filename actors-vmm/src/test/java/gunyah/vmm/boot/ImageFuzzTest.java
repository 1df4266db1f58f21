package gunyah.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.BadInput;
import gunyah.config.Serial;
import gunyah.config.fdt.Fdt;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;

/** Kernels and device trees with any bytes in them are loaded or refused by name. */
class ImageFuzzTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125);
    private static final int MUTANTS = Integer.getInteger("gunyah.mutants", 4_000);
    private static final Ram RAM = new Ram(0x4000_0000L, 16 << 20);

    @Test
    void kernelsOfAnyContentAreLoadedInsideMemoryOrRefused() throws IOException {
        System.out.printf("kernels: seed %d, %d mutants%n", SEED, MUTANTS);
        Random random = new Random(SEED);
        byte[][] templates = {image(), zipped(image()), elf(), zboot(zipped(image()))};
        KernelLoader loader = new KernelLoader(RAM);
        int loaded = 0;
        for (int i = 0; i < MUTANTS; i++) {
            byte[] file = mutant(templates[random.nextInt(templates.length)], random);
            try {
                GuestImage image = loader.kernel("mutant", file);
                loaded++;
                for (GuestImage.Chunk chunk : image.chunks()) {
                    assertThat(RAM.contains(chunk.gpa(), chunk.size())).as("seed %d, mutant %d: chunk at 0x%x+0x%x",
                            SEED, i, chunk.gpa(), chunk.size()).isTrue();
                }
            } catch (BadInput e) {
                assertThat(e.getMessage()).contains("mutant");
            }
        }
        assertThat(loaded).isBetween(1, MUTANTS - 1);
    }

    @Test
    void deviceTreesOfAnyContentAreReadOrRefused() {
        System.out.printf("device trees: seed %d, %d mutants%n", SEED, MUTANTS);
        Random random = new Random(SEED);
        GuestTree tree = new GuestTree("vm", 2, RAM, new GuestTree.Places(0x0800_0000L, 0x080a_0000L, 0x0900_0000L, 1,
                0x0901_0000L, 2, new GuestTree.Virtio(3, 0x0a00_0000L, 0x200, 16, 0x2000_0000L, 32 << 20),
                Serial.PL011));
        byte[] sound = tree.generate("quiet", Optional.empty()).toBytes();
        int read = 0;
        for (int i = 0; i < MUTANTS; i++) {
            byte[] blob = mutant(sound, random);
            try {
                Fdt.parse(blob);
                read++;
                tree.complete("mutant", blob, "quiet", Optional.empty());
            } catch (Fdt.FdtException | BadInput e) {
                // what is to happen
            }
        }
        assertThat(read).isBetween(1, MUTANTS - 1);
    }

    private static byte[] mutant(byte[] sound, Random random) {
        byte[] bytes = sound.clone();
        for (int flips = 1 + random.nextInt(6); flips > 0; flips--) {
            int limit = random.nextBoolean() ? Math.min(128, bytes.length) : bytes.length;
            bytes[random.nextInt(limit)] = (byte) (random.nextInt(3) == 0 ? 0xff : random.nextInt());
        }
        return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, random.nextInt(bytes.length)) : bytes;
    }

    private static byte[] image() {
        ByteBuffer image = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
        image.putLong(16, 0x10000).putLong(24, 0xa).putInt(56, 0x644d5241);
        return image.array();
    }

    private static byte[] zipped(byte[] bytes) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
            zip.write(bytes);
        }
        return out.toByteArray();
    }

    static byte[] zboot(byte[] payload) {
        ByteBuffer image = ByteBuffer.allocate(512 + payload.length).order(ByteOrder.LITTLE_ENDIAN);
        image.put(0, new byte[] {'M', 'Z', 0, 0, 'z', 'i', 'm', 'g'}).putInt(8, 512).putInt(12, payload.length);
        image.put(24, "gzip".getBytes()).putInt(56, 0x818223cd);
        image.put(512, payload);
        return image.array();
    }

    private static byte[] elf() {
        ByteBuffer elf = ByteBuffer.allocate(0x200).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(0, new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1});
        elf.putShort(16, (short) 2).putShort(18, (short) 183).putInt(20, 1).putLong(24, 0x4008_0000L).putLong(32, 64);
        elf.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 1);
        elf.putInt(64, 1).putInt(68, 7).putLong(72, 0x100).putLong(80, 0x4008_0000L).putLong(88, 0x4008_0000L);
        elf.putLong(96, 0x100).putLong(104, 0x200).putLong(112, 0x1000);
        return elf.array();
    }
}

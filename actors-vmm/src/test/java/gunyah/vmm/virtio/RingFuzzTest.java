package gunyah.vmm.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import gunyah.config.DiskConfig;
import gunyah.config.VsockConfig;
import gunyah.vmm.balloon.VirtioBalloon;
import gunyah.vmm.block.DiskImages;
import gunyah.vmm.block.VirtioBlock;
import gunyah.vmm.device.ConsoleSink;
import gunyah.vmm.net.NetSwitch;
import gunyah.vmm.net.VirtioNet;
import gunyah.vmm.vsock.VirtioVsock;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every device under drivers that write anything into descriptors, rings and registers: it goes on or needs a reset, it
 * touches nothing outside the shared memory (which the memory itself checks), and works again after the reset.
 */
class RingFuzzTest {
    private static final long SEED = Long.getLong("gunyah.seed", 20261125);
    private static final int MUTANTS = Integer.getInteger("gunyah.mutants", 4_000);

    @TempDir
    private Path directory;
    private final List<Throwable> thrown = new ArrayList<>();

    /** The device, which remembers what it throws. */
    private VirtioDevice watched(VirtioDevice device) {
        return (VirtioDevice) Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {VirtioDevice.class},
                (proxy, method, arguments) -> {
                    try {
                        return method.invoke(device, arguments);
                    } catch (InvocationTargetException e) {
                        thrown.add(e.getCause());
                        throw e.getCause();
                    }
                });
    }

    @Test
    void devicesSurviveAnyDriver() throws IOException {
        System.out.printf("rings: seed %d, %d mutants of each device%n", SEED, MUTANTS / 4);
        Path disk = directory.resolve("disk");
        Files.write(disk, new byte[1 << 20]);
        NetSwitch switches = new NetSwitch();
        ConsoleSink sink = new ConsoleSink(bytes -> { }, Runnable::run);
        fuzz(new VirtioBlock("disk0", DiskImages.open(new DiskConfig(disk, false, Optional.empty())), false, 2));
        fuzz(new VirtioNet(new byte[6], switches.port("lan"), 2));
        fuzz(new VirtioConsole(sink));
        fuzz(new VirtioRng(RandomGenerator.of("L64X128MixRandom")));
        fuzz(new VirtioBalloon(0, gpa -> gpa >= ArrayMemory.BASE));
        fuzz(new VirtioVsock(new VsockConfig(3, directory.resolve("vsock"))));

        assertThat(thrown).isEmpty();
    }

    private void fuzz(VirtioDevice device) {
        Random random = new Random(SEED);
        TestDriver driver = new TestDriver(watched(device));
        long[] features = {0, Features.INDIRECT_DESC, Features.EVENT_IDX, Features.INDIRECT_DESC | Features.EVENT_IDX};
        int broken = 0;
        driver.start(0);
        for (int i = 0; i < MUTANTS / 4; i++) {
            if (driver.isBroken() || random.nextInt(50) == 0) {
                broken += driver.isBroken() ? 1 : 0;
                driver.start(features[random.nextInt(features.length)]);
                assertThat(driver.isBroken()).as("%s after a reset, mutant %d", device.name(), i).isFalse();
            }
            mutate(driver, random, device.queueCount());
        }
        assertThat(broken).as("resets %s needed", device.name()).isPositive();
        driver.transport.close();
    }

    private static void mutate(TestDriver driver, Random random, int queues) {
        int queue = random.nextInt(queues);
        int head = random.nextInt(16);
        for (int at = head, left = random.nextInt(4); left >= 0; left--) {
            int next = random.nextInt(random.nextInt(8) == 0 ? 0x10000 : 16);
            int flags = left == 0 && random.nextInt(8) != 0 ? 2 * random.nextInt(2)
                    : random.nextInt(random.nextInt(16) == 0 ? 0x10000 : 4);
            driver.descriptor(queue, at, address(random), length(random), flags, next);
            at = next & 15;
        }
        if (random.nextInt(4) == 0) {
            long table = driver.allocate(64);
            for (int i = 0; i < 4; i++) {
                driver.descriptor(table + i * 16L, address(random), length(random), random.nextInt(4), i + 1);
            }
            driver.descriptor(queue, head, table, random.nextInt(8) == 0 ? random.nextInt() : 64, 4, 0);
        }
        if (random.nextInt(100) == 0) {
            driver.memory.store16(TestDriver.queue(queue) + 0x2002, random.nextInt());
        } else {
            driver.available(queue, random.nextInt(50) == 0 ? random.nextInt() & 0xffff : head);
        }
        if (random.nextInt(20) == 0) {
            driver.transport.write(random.nextInt(0x80) * 4L, 4, random.nextInt());
        }
        driver.notify(queue);
    }

    private static long address(Random random) {
        return switch (random.nextInt(20)) {
            case 0 -> random.nextLong();
            case 1 -> ArrayMemory.BASE + (4 << 20) - random.nextInt(64);
            default -> ArrayMemory.BASE + 0x40000 + random.nextInt(3 << 20);
        };
    }

    private static long length(Random random) {
        return switch (random.nextInt(10)) {
            case 0 -> random.nextInt() & 0xffff_ffffL;
            case 1 -> 0;
            case 2 -> 1;
            case 3 -> 16;
            default -> random.nextInt(2048);
        };
    }
}

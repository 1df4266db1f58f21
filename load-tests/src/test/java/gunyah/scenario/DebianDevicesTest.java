package gunyah.scenario;

import static gunyah.scenario.DebianShell.COMMAND;
import static gunyah.scenario.DebianShell.command;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import gunyah.config.DeviceConfig;
import gunyah.config.MemoryConfig;
import gunyah.config.Serial;
import gunyah.config.VsockConfig;
import gunyah.runtime.GunyahSystem;
import gunyah.runtime.Vm;
import gunyah.runtime.VmOutcome;
import java.io.InputStream;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Debian's own drivers on our virtio devices. */
@Tag("boot")
class DebianDevicesTest {
    @TempDir
    private Path directory;

    /**
     * Its drivers use all memory directly; after a reboot the disk is as it was left. What it does not need it gives
     * back: blocks of the disk and pages of its memory.
     */
    @Test
    void aGuestInSharedMemoryUsesItsDiskAndReboots() throws Exception {
        Path disk = HostTools.ext4(directory.resolve("shared.img"), 32 << 20);
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests")
                    .with(new MemoryConfig(false, false, true))
                    .with(new DeviceConfig(List.of(HostTools.raw(disk, false)), List.of()).withBalloon(64 << 20)));
            DebianShell.await(vm);
            command(vm, "dmesg | grep -c 'software IO TLB: mapped'", "0");
            command(vm, "mount -t ext4 /dev/vda /mnt && dd if=/dev/urandom of=/mnt/r bs=1M count=8 && echo written=$?",
                    "written=0");
            vm.type("sha256sum /mnt/r; umount /mnt\n");
            String sum = vm.awaitConsole(Pattern.compile("([0-9a-f]{64})  /mnt/r"), COMMAND).group(1);
            DebianShell.await(vm);
            vm.type("reboot -f\n");

            DebianShell.await(vm);
            command(vm, "mount -t ext4 /dev/vda /mnt && sha256sum /mnt/r", sum);
            long full = HostTools.blocks(disk);
            command(vm, "rm /mnt/r && sync && fstrim /mnt && umount /mnt && echo trimmed=$?", "trimmed=0");
            assertThat(HostTools.blocks(disk)).isLessThanOrEqualTo(full - (8 << 20 - 9));

            await().atMost(COMMAND).until(() -> vm.ballooned() == 64 << 20);
            vm.balloon(16 << 20);
            await().atMost(COMMAND).until(() -> vm.ballooned() == 16 << 20);
            command(vm, "head -c 200000000 /dev/zero > /tmp/filled && echo filled=$?", "filled=0");
            vm.type("poweroff -f\n");
            assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }

    /** Its driver takes what is pasted, and loses nothing. */
    @ParameterizedTest
    @CsvSource({"NS16550A,ttyS0", "VIRTIO,hvc0"})
    void theConsoleMayBeAnotherDevice(Serial serial, String name) {
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1))) {
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(
                    new DeviceConfig(List.of(), List.of(), false, serial, List.of(), Optional.empty(),
                            OptionalLong.empty())));
            DebianShell.await(vm);
            command(vm, "cut -d ' ' -f 1 /proc/consoles", name);
            command(vm, "head -c 3000 > /tmp/pasted && md5sum < /tmp/pasted\n" + "pasted words\n".repeat(250),
                    HostTools.digest("MD5", "pasted words\n".repeat(250).substring(0, 3000)
                            .getBytes(StandardCharsets.US_ASCII)));
            vm.type("\npoweroff -f\n");
            assertThat(vm.awaitExit(COMMAND).kind()).isEqualTo(VmOutcome.Kind.POWERED_OFF);
        }
    }

    /** The guest calls a program and a program calls the guest; either sends back what it got. */
    @Test
    void programsAndGuestsCallEachOther() throws Exception {
        Path folder = Files.createDirectory(directory.resolve("folder"));
        try (InputStream client = getClass().getResourceAsStream("vsock.elf")) {
            Files.write(folder.resolve("vsock"), client.readAllBytes());
        }
        assertThat(folder.resolve("vsock").toFile().setExecutable(true)).isTrue();
        Path socket = directory.resolve("v");
        try (GunyahSystem system = GunyahSystem.start(Guests.machine(1));
                ServerSocketChannel called = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            called.bind(UnixDomainSocketAddress.of(socket + "_5000"));
            Vm vm = system.createVm(Guests.linux("debian", Guests.KERNEL_6_1, 1, "cryptomgr.notests").with(
                    new DeviceConfig(List.of(), List.of(), false, Serial.PL011, List.of(folder),
                            Optional.of(new VsockConfig(42, socket)), OptionalLong.empty())));
            DebianShell.await(vm);
            command(vm, "mount -t virtiofs share0 /mnt && echo mounted=$?", "mounted=0");
            vm.type("head -c 1000000 /dev/urandom > /tmp/sent; sha256sum /tmp/sent\n");
            String sum = vm.awaitConsole(Pattern.compile("([0-9a-f]{64})  /tmp/sent"), COMMAND).group(1);

            CompletableFuture<String> heard = CompletableFuture.supplyAsync(() -> sendBack(() -> called.accept()));
            command(vm, "/mnt/vsock connect 2 5000 < /tmp/sent | sha256sum", sum + "  -");
            assertThat(heard.get(1, TimeUnit.MINUTES)).isEqualTo(sum);
            command(vm, "/mnt/vsock connect 2 5001 < /dev/null", "connect failed");

            vm.type("/mnt/vsock listen 6000 < /tmp/sent | sha256sum\n");
            vm.awaitConsole("vsock: listening", COMMAND);
            assertThat(sendBack(() -> {
                SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                channel.write(ByteBuffer.wrap("CONNECT 6000\n".getBytes(StandardCharsets.US_ASCII)));
                ByteBuffer answer = ByteBuffer.allocate("OK 1073741824\n".length());
                while (answer.hasRemaining() && channel.read(answer) >= 0) {
                    Thread.onSpinWait();
                }
                assertThat(new String(answer.array(), StandardCharsets.US_ASCII)).isEqualTo("OK 1073741824\n");
                return channel;
            })).isEqualTo(sum);
            vm.awaitConsole(sum + "  -", COMMAND);
        }
    }

    /** Reads until the other side has no more and then sends all of it back. {@return its hash} */
    private static String sendBack(Callable<SocketChannel> opened) {
        try (SocketChannel channel = opened.call()) {
            byte[] all = Channels.newInputStream(channel).readAllBytes();
            Channels.newOutputStream(channel).write(all);
            return HostTools.digest("SHA-256", all);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }
}

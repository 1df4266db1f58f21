package gunyah.vmm;

import gunyah.config.BadInput;
import gunyah.config.DiskConfig;
import gunyah.config.NetConfig;
import gunyah.config.Serial;
import gunyah.config.VmConfig;
import gunyah.vmm.balloon.GuestPages;
import gunyah.vmm.balloon.VirtioBalloon;
import gunyah.vmm.block.DiskImages;
import gunyah.vmm.block.VirtioBlock;
import gunyah.vmm.device.ConsoleDevice;
import gunyah.vmm.device.ConsoleSink;
import gunyah.vmm.device.MmioBus;
import gunyah.vmm.driver.GuestMemoryFile;
import gunyah.vmm.driver.GunyahDevice;
import gunyah.vmm.driver.GunyahVm;
import gunyah.vmm.driver.HostMapping;
import gunyah.vmm.driver.IrqFd;
import gunyah.vmm.driver.Uapi;
import gunyah.vmm.net.NetSwitch;
import gunyah.vmm.net.UserNet;
import gunyah.vmm.net.VirtioNet;
import gunyah.vmm.share.SharedFolder;
import gunyah.vmm.share.VirtioFs;
import gunyah.vmm.virtio.GuestMemory;
import gunyah.vmm.virtio.MappedMemory;
import gunyah.vmm.virtio.VirtioConsole;
import gunyah.vmm.virtio.VirtioDevice;
import gunyah.vmm.virtio.VirtioMmio;
import gunyah.vmm.virtio.VirtioRng;
import gunyah.vmm.vsock.VirtioVsock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * The virtio devices of one VM and the memory it shares with them: queue notifications come by ioeventfd, interrupts go
 * by irqfd. When the rest of the VM's memory is lent, a device can reach nothing else, whatever a driver tells it. Built
 * and closed by {@link RunningVm}.
 */
final class VirtioDevices {
    private final GunyahDevice host;
    private final List<VirtioDevice> devices = new ArrayList<>();
    private final List<VirtioMmio> transports = new ArrayList<>();
    private Optional<ConsoleDevice> console = Optional.empty();
    private Optional<VirtioBalloon> balloon = Optional.empty();
    private GuestPages ram;
    private GuestMemoryFile window;
    private HostMapping mapping;

    private VirtioDevices(GunyahDevice host) {
        this.host = host;
    }

    /** Opens what the devices need. Blocks for files. @throws gunyah.config.BadInput with nothing left open */
    static VirtioDevices open(GunyahDevice host, VmConfig config, NetSwitch switches, RandomGenerator random,
            ConsoleSink output) {
        VirtioDevices all = new VirtioDevices(host);
        try {
            for (DiskConfig disk : config.devices().disks()) {
                all.devices.add(new VirtioBlock("disk%d".formatted(all.devices.size()), DiskImages.open(disk),
                        disk.readOnly(), config.cpus()));
            }
            for (NetConfig net : config.devices().nets()) {
                byte[] mac = {0x52, 0x54, 0, (byte) random.nextInt(), (byte) random.nextInt(), (byte) random.nextInt()};
                all.devices.add(new VirtioNet(mac, switch (net) {
                    case NetConfig.User user -> UserNet.open(user, random);
                    case NetConfig.Switched switched -> switches.port(switched.name());
                }, config.cpus()));
            }
            int folders = 0;
            for (Path folder : config.devices().shares()) {
                all.devices.add(new VirtioFs("share%d".formatted(folders++), new SharedFolder(folder)));
            }
            config.devices().vsock().ifPresent(vsock -> all.devices.add(new VirtioVsock(vsock)));
            config.devices().balloon().ifPresent(bytes -> all.add(new VirtioBalloon(bytes, all::reclaim)));
            if (config.devices().rng()) {
                all.devices.add(new VirtioRng(random));
            }
            if (config.devices().serial() == Serial.VIRTIO) {
                VirtioConsole console = new VirtioConsole(output);
                all.console = Optional.of(console);
                all.devices.add(console);
            }
            if (all.count() != config.devices().virtioCount()) {
                throw new IllegalStateException("DeviceConfig counts %d virtio devices, %d were made"
                        .formatted(config.devices().virtioCount(), all.count()));
            }
            if (all.count() > GuestLayout.VIRTIO_SLOTS) {
                throw new BadInput("VM %s: at most %d virtio devices".formatted(config.name(),
                        GuestLayout.VIRTIO_SLOTS));
            }
            return all;
        } catch (RuntimeException e) {
            all.devices.forEach(VirtioDevice::close);
            throw e;
        }
    }

    private void add(VirtioBalloon added) {
        balloon = Optional.of(added);
        devices.add(added);
    }

    private boolean reclaim(long gpa) {
        return ram.reclaim(gpa);
    }

    /** {@return the balloon, if the VM has one} */
    Optional<VirtioBalloon> balloon() {
        return balloon;
    }

    /** {@return the virtio console, if that is what the VM has its console on} */
    Optional<ConsoleDevice> console() {
        return console;
    }

    int count() {
        return devices.size();
    }

    /**
     * Puts the devices into a VM that is not started yet.
     *
     * @param pages  its RAM, as its balloon sees it
     * @param shared its RAM as one device sees it; when it is lent, they get memory of their own
     */
    void attach(GunyahVm vm, MmioBus bus, GuestPages pages, Optional<Supplier<GuestMemory>> shared) {
        if (devices.isEmpty()) {
            return;
        }
        ram = pages;
        Supplier<GuestMemory> memory = shared.orElseGet(() -> openWindow(vm));
        for (int i = 0; i < devices.size(); i++) {
            long base = GuestLayout.VIRTIO_BASE + (long) i * VirtioMmio.SIZE;
            IrqFd line = vm.addIrqFd(GuestLayout.VIRTIO_SPI + i, true);
            VirtioMmio transport = new VirtioMmio(devices.get(i), memory.get(), line::signal, host.worker());
            transports.add(transport);
            bus.add(base, VirtioMmio.SIZE, transport);
            vm.addIoEventFd(base + VirtioMmio.QUEUE_NOTIFY, 4, transport::notified);
        }
    }

    private Supplier<GuestMemory> openWindow(GunyahVm vm) {
        window = host.createGuestMemory(GuestLayout.DMA_SIZE, Uapi.GUEST_MEM_CLOEXEC | Uapi.GUEST_MEM_ALLOW_HUGEPAGE);
        mapping = window.map(0, GuestLayout.DMA_SIZE);
        vm.map(window, GuestLayout.DMA_BASE, GuestLayout.DMA_SIZE, 0,
                Uapi.MEM_FORCE_SHARE | Uapi.MEM_ALLOW_READ | Uapi.MEM_ALLOW_WRITE);
        return () -> new MappedMemory(mapping, GuestLayout.DMA_BASE, GuestLayout.DMA_SIZE);
    }

    /** Ends all devices. {@return when none touches the VM's memory any more and their files are closed} */
    CompletionStage<Void> close() {
        for (int i = transports.size(); i < devices.size(); i++) {
            devices.get(i).close();
        }
        return CompletableFuture.allOf(transports.stream().map(t -> t.close().toCompletableFuture())
                .toArray(CompletableFuture<?>[]::new));
    }

    /** Frees the shared memory; after {@link #close} and the end of the VM. */
    void free() {
        if (window != null) {
            mapping.close();
            window.close();
        }
    }
}

# In Debian's kernel: a break in vfs_read, the page table that leads there, the state of devices.
set architecture riscv:rv64
target remote 127.0.0.1:45671
hbreak *0xffffffff804824f8
continue
info threads
x/3i $pc
p/x $satp
monitor walk ffffffff804824f8
monitor inspect hart0.csr.scause
monitor inspect uart0
monitor inspect virtio1
monitor time
delete
detach

/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libpci.h - the PCI side of a device test.
 *
 * Finds the adapter on bus 0, reads and writes its configuration space
 * through the two I/O ports 0xcf8 and 0xcfc, places its BARs as a firmware
 * would, and programs the MSI-X table.  The messages are pointed at RAM, so
 * that an interrupt is seen as a word that changes.
 */
#ifndef LIBPCI_H
#define LIBPCI_H

#include <stdbool.h>
#include <stdint.h>
#include "libqt.h"

/* Where the tests place the BARs. */
#define PCI_REGS_ADDR		0xe0000000ull
#define PCI_MSIX_ADDR		0xe1000000ull
#define PCI_DOORBELLS_ADDR	0x800000000ull

#define PCI_CFG_VENDOR		0x00
#define PCI_CFG_DEVICE		0x02
#define PCI_CFG_COMMAND		0x04
#define PCI_CFG_STATUS		0x06
#define PCI_CFG_REVISION	0x08
#define PCI_CFG_CLASS		0x09
#define PCI_CFG_HEADER		0x0e
#define PCI_CFG_BAR0		0x10
#define PCI_CFG_CAPS		0x34
#define PCI_CMD_MEMORY		0x2
#define PCI_CMD_MASTER		0x4
#define PCI_CAP_MSIX		0x11
#define PCI_CAP_EXPRESS		0x10

struct pci {
	struct qt *qt;
	uint8_t bus;			/* 0, unless a test sets it */
	uint8_t devfn;
	uint64_t regs, doorbells, msix;	/* where the BARs are */
	uint8_t msix_cap;		/* place of the capability */
	uint64_t msix_table, msix_pba;	/* addresses */
	unsigned vectors;
};

uint8_t pci_readb(struct pci *p, uint8_t off);
uint16_t pci_readw(struct pci *p, uint8_t off);
uint32_t pci_readl(struct pci *p, uint8_t off);
void pci_writew(struct pci *p, uint8_t off, uint16_t value);
void pci_writel(struct pci *p, uint8_t off, uint32_t value);

/* Find the adapter; fails the test if it is not on bus 0. */
void pci_find(struct pci *p, struct qt *q);
/* Place of a capability in configuration space, 0 if there is none. */
uint8_t pci_cap(struct pci *p, uint8_t id);
/* Place the BARs, switch memory decoding and bus mastering on. */
void pci_enable(struct pci *p);
/* Size of a BAR by the usual write of ones; 0: not there. */
uint64_t pci_bar_size(struct pci *p, unsigned bar, uint32_t *flags);
/* Function-level reset through the PCI Express capability. */
void pci_flr(struct pci *p);

/* Switch MSI-X on, with all vectors masked. */
void pci_msix_enable(struct pci *p);
/* Vector's message: data is written to addr, a word in RAM.  Unmasked. */
void pci_msix_set(struct pci *p, unsigned vector, uint64_t addr,
		  uint32_t data);
void pci_msix_mask(struct pci *p, unsigned vector, bool masked);
bool pci_msix_pending(struct pci *p, unsigned vector);

#endif

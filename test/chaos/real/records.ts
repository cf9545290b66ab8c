import type { Client } from 'whatsapp-web.js';

const COUNT_UNREADABLE = `new Promise((resolve, reject) => {
  const opening = indexedDB.open('wawc');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = () => {
    const store = opening.result.transaction('traffic').objectStore('traffic');
    const listing = store.getAllKeys();
    listing.onerror = () => reject(listing.error);
    listing.onsuccess = async () => {
      let unreadable = 0;
      for (const key of listing.result) {
        const isRead = await new Promise((done) => {
          const reading = opening.result.transaction('traffic').objectStore('traffic').get(key);
          reading.onsuccess = () => done(reading.result?.byteLength > 0);
          reading.onerror = (event) => { event.preventDefault(); done(false); };
        });
        if (!isRead) unreadable++;
      }
      opening.result.close();
      resolve(unreadable);
    };
  };
})`;

/** Counts the traffic's records that can't be read. A large value is read with the file in which Chromium stores it. */
export async function countUnreadable({ pupPage }: Client): Promise<number> {
  return Number(await pupPage?.evaluate(COUNT_UNREADABLE));
}
